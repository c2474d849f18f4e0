"""What an operator would set up once: `users` when only keystone runs, `zones` when every host is up, `cloud` beside it;
and `pools`, which waits until a volume can be placed."""
import json
import sys
import time

import openstack

with open('/etc/devcloud/seed.json') as file:
    WANTED = json.load(file)
API, SECRETS, HOSTS, IMAGES, NETWORK = (WANTED[key] for key in ('api', 'secrets', 'hosts', 'images', 'network'))
SERVICES = (
    ('image', 'glance', ':9292'),
    ('placement', 'placement', ':8778'),
    ('compute', 'nova', ':8774/v2.1'),
    ('network', 'neutron', ':9696'),
    ('volumev3', 'cinderv3', ':8776/v3/%(project_id)s'),
    ('block-storage', 'cinder', ':8776/v3/%(project_id)s'),
)
FLAVORS = (('m1.tiny', 1, 512, 1), ('m1.small', 1, 2048, 10), ('m1.medium', 2, 4096, 20))


def users(cloud):
    identity = cloud.identity
    roles = {role.name: role for role in identity.roles()}
    for name in {'service', 'member', 'reader'} - roles.keys():
        roles[name] = identity.create_role(name=name)

    def user(name, project, password, *granted):
        made = identity.create_user(name=name, domain_id='default', password=password,
                                    default_project_id=project.id)
        for role in granted:
            identity.assign_project_role_to_user(project, made, roles[role])

    service = identity.create_project(name='service', domain_id='default')
    for _, name, _ in SERVICES[:4]:
        user(name, service, SECRETS['service'], 'admin', 'service')
    user('cinder', service, SECRETS['service'], 'admin', 'service')
    for name in ('devcloud', 'other'):
        user(name, identity.create_project(name=name, domain_id='default'), SECRETS['member'], 'member', 'reader')

    for kind, name, where in SERVICES:
        entry = identity.create_service(type=kind, name=name)
        for interface in ('public', 'internal', 'admin'):
            identity.create_endpoint(service_id=entry.id, region_id='RegionOne', interface=interface,
                                     url=API + where)


def cloud(cloud):
    for name, cpus, memory, disk in FLAVORS:
        cloud.compute.create_flavor(name=name, vcpus=cpus, ram=memory, disk=disk)
    pretended = cloud.compute.create_flavor(name='m1.none', vcpus=1, ram=64, disk=1)
    cloud.compute.create_flavor_extra_specs(pretended, {'devcloud:boot': 'none'})
    # An image's bytes are never read: the property names the tree that a guest's root is laid over.
    for name in IMAGES:
        system, version = name.split('-')
        cloud.image.create_image(name, data=b'\0' * 4096, disk_format='raw', container_format='bare',
                                 visibility='public', min_disk=1, wait=True,
                                 meta={'os_distro': system, 'os_version': version, 'devcloud_tree': name})

    project = cloud.identity.find_project('devcloud')
    network = cloud.network.create_network(name='private', project_id=project.id)
    cloud.network.create_subnet(name='private', network_id=network.id, project_id=project.id, ip_version=4,
                                cidr=NETWORK['guests'], gateway_ip=NETWORK['gateway'], is_dhcp_enabled=False,
                                dns_nameservers=[NETWORK['gateway']],
                                allocation_pools=[{'start': NETWORK['firstGuest'], 'end': NETWORK['lastGuest']}])
    public = cloud.network.create_network(name='public', is_router_external=True)
    cloud.network.create_subnet(name='public', network_id=public.id, ip_version=4, cidr=NETWORK['floating'],
                                gateway_ip=NETWORK['floatingGateway'], is_dhcp_enabled=False,
                                allocation_pools=[{'start': NETWORK['firstFloating'], 'end': NETWORK['lastFloating']}])
    with open('/var/lib/devcloud/gateways', 'w') as file:
        for made, cidr, address in ((network, 'guests', 'gateway'), (public, 'floating', 'floatingGateway')):
            print(made.name, f'brq{made.id[:11]}', f'{NETWORK[address]}/{NETWORK[cidr].split("/")[1]}', file=file)

    for kind in ('standard', 'fast'):
        cloud.block_storage.create_type(name=kind, is_public=True)

    cloud.set_compute_quotas(project.id, instances=500, cores=2000, ram=4000000, key_pairs=500,
                             server_groups=500, server_group_members=100)
    cloud.set_volume_quotas(project.id, volumes=500, gigabytes=50000, snapshots=500)
    cloud.set_network_quotas(project.id, port=1000, security_group=500, security_group_rule=5000,
                             network=50, subnet=50)


def zones(cloud):
    for zone in sorted(set(HOSTS.values())):
        aggregate = cloud.compute.create_aggregate(name=zone, availability_zone=zone)
        for host in (host for host, where in HOSTS.items() if where == zone):
            cloud.compute.add_host_to_aggregate(aggregate, host)


def pools(cloud):
    """Cinder's scheduler places no volume before it heard of a backend, and answers with an error until then."""
    until = time.monotonic() + 120
    while not list(cloud.block_storage.backend_pools()):
        if time.monotonic() > until:
            sys.exit('the volume scheduler has heard of no backend for 120 s')
        time.sleep(0.3)


if __name__ == '__main__':
    administrator = openstack.connect(
        auth_url=API + ':5000/v3', username='admin', password=SECRETS['admin'], project_name='admin',
        user_domain_name='Default', project_domain_name='Default', region_name='RegionOne')
    {'users': users, 'cloud': cloud, 'zones': zones, 'pools': pools}[sys.argv[1]](administrator)
