"""Neutron's mechanism driver for linuxbridge, where one agent serves every compute host: they all are this machine."""
import types

from neutron.plugins.ml2 import plugin
from neutron.plugins.ml2 import rpc
from neutron.plugins.ml2.drivers.linuxbridge.mech_driver import mech_linuxbridge
from neutron_lib.plugins import directory
from sqlalchemy import orm


class OneAgentMechanismDriver(mech_linuxbridge.LinuxbridgeMechanismDriver):
    def initialize(self):
        # Neutron fails each listing of ports until it has asked its database for something else: the columns it
        # names come into being with the first query.
        orm.configure_mappers()
        # Only where the plugin looks the class up: in its own module it names itself.
        plugin.rpc = types.SimpleNamespace(**{**vars(rpc), 'RpcCallbacks': AnyHostCallbacks})

    def bind_port(self, context):
        agents = directory.get_plugin().get_agents(
            context._plugin_context, filters={'agent_type': [self.agent_type], 'alive': [True]})
        for agent in agents:
            for segment in context.segments_to_bind:
                if self.try_to_bind_segment_for_agent(context, segment, agent):
                    return


class AnyHostCallbacks(rpc.RpcCallbacks):
    """Neutron answers an agent only about ports bound to the agent's host. Here no host is asked for."""

    def _get_device_details(self, rpc_context, agent_id, host, device, port_context):
        return super()._get_device_details(rpc_context, agent_id, port_context.host, device, port_context)

    def _get_new_status(self, host, port_context):
        return super()._get_new_status(None, port_context)

    def update_device_up(self, rpc_context, **kwargs):
        return super().update_device_up(rpc_context, **{**kwargs, 'host': None})

    def update_device_down(self, rpc_context, **kwargs):
        return super().update_device_down(rpc_context, **{**kwargs, 'host': None})
