// The part of the official OpenStack plugin that this repository's programs use,
// under the type tokens and property names of @pulumi/openstack 3.15.2.
package main

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-provider-openstack/terraform-provider-openstack/openstack"
)

const version = "3.15.2"

var resources = map[string]string{
	"openstack_blockstorage_volume_attach_v3":   "VolumeAttach",
	"openstack_blockstorage_volume_v3":          "Volume",
	"openstack_compute_floatingip_associate_v2": "FloatingIpAssociate",
	"openstack_compute_instance_v2":             "Instance",
	"openstack_compute_interface_attach_v2":     "InterfaceAttach",
	"openstack_compute_keypair_v2":              "Keypair",
	"openstack_compute_servergroup_v2":          "ServerGroup",
	"openstack_compute_volume_attach_v2":        "VolumeAttach",
	"openstack_networking_floatingip_v2":        "FloatingIp",
	"openstack_networking_network_v2":           "Network",
	"openstack_networking_port_v2":              "Port",
	"openstack_networking_router_interface_v2":  "RouterInterface",
	"openstack_networking_router_v2":            "Router",
	"openstack_networking_secgroup_rule_v2":     "SecGroupRule",
	"openstack_networking_secgroup_v2":          "SecGroup",
	"openstack_networking_subnet_v2":            "Subnet",
}

var dataSources = map[string]string{
	"openstack_blockstorage_availability_zones_v3": "getAvailabilityZonesV3",
	"openstack_blockstorage_quotaset_v3":           "getQuotasetV3",
	"openstack_blockstorage_volume_v3":             "getVolumeV3",
	"openstack_compute_availability_zones_v2":      "getAvailabilityZones",
	"openstack_compute_flavor_v2":                  "getFlavor",
	"openstack_compute_instance_v2":                "getInstanceV2",
	"openstack_compute_keypair_v2":                 "getKeypair",
	"openstack_compute_limits_v2":                  "getLimitsV2",
	"openstack_identity_auth_scope_v3":             "getAuthScope",
	"openstack_images_image_ids_v2":                "getImageIds",
	"openstack_images_image_v2":                    "getImage",
	"openstack_networking_network_v2":              "getNetwork",
	"openstack_networking_port_v2":                 "getPort",
	"openstack_networking_quota_v2":                "getQuotaV2",
	"openstack_networking_router_v2":               "getRouter",
	"openstack_networking_secgroup_v2":             "getSecGroup",
	"openstack_networking_subnet_v2":               "getSubnet",
}

// Where the bridge's own rules would give a property another name or shape than the official plugin does.
var exceptions = map[string]map[string]*tfbridge.SchemaInfo{
	"openstack_compute_servergroup_v2": {"policies": {MaxItemsOne: tfbridge.False()}},
	"openstack_networking_subnet_v2": {
		"allocation_pool":  {Name: "allocationPools"},
		"allocation_pools": {Name: "allocationPoolsCollection"},
	},
}

// Settings that the environment gives when the program does not.
var environment = map[string]string{
	"allow_reauth":  "OS_ALLOW_REAUTH",
	"cloud":         "OS_CLOUD",
	"delayed_auth":  "OS_DELAYED_AUTH",
	"endpoint_type": "OS_ENDPOINT_TYPE",
	"insecure":      "OS_INSECURE",
	"region":        "OS_REGION_NAME",
	"swauth":        "OS_SWAUTH",
	"use_octavia":   "OS_USE_OCTAVIA",
}

// token gives, for the resource Instance of openstack_compute_instance_v2, openstack:compute/instance:Instance.
func token(upstream, name string) tokens.ModuleMember {
	module := strings.Split(upstream, "_")[1]
	file := strings.ToLower(name[:1]) + name[1:]
	return tokens.ModuleMember("openstack:" + module + "/" + file + ":" + name)
}

func provider() tfbridge.ProviderInfo {
	upstream := openstack.Provider()
	// It has a default: everyone would be warned, in every run, of a setting that nobody made.
	upstream.Schema["use_octavia"].Deprecated = ""
	info := tfbridge.ProviderInfo{
		P:           shim.NewProvider(upstream),
		Name:        "openstack",
		Version:     version,
		Config:      map[string]*tfbridge.SchemaInfo{},
		Resources:   map[string]*tfbridge.ResourceInfo{},
		DataSources: map[string]*tfbridge.DataSourceInfo{},
	}
	for setting, variable := range environment {
		info.Config[setting] = &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{EnvVars: []string{variable}}}
	}
	for upstream, name := range resources {
		info.Resources[upstream] = &tfbridge.ResourceInfo{
			Tok:    tokens.Type(token(upstream, name)),
			Fields: exceptions[upstream],
		}
	}
	for upstream, name := range dataSources {
		info.DataSources[upstream] = &tfbridge.DataSourceInfo{Tok: token(upstream, name)}
	}
	info.SetAutonaming(255, "-")
	return info
}

func main() {
	tfbridge.Main("openstack", version, provider(), nil)
}
