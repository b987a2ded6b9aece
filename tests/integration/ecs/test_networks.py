"""Deployments in a VPC that exists: public or private, behind a load balancer that exists, or refused."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.ecs.cloud import REGION, Cloud, CommandResult
from tests.integration.ecs.conftest import up
from tests.integration.ecs.test_variants import services_of, succeed

ENDPOINTS = ("ecr.api", "ecr.dkr", "ecs", "logs", "secretsmanager")


@dataclass
class Network:
    """A VPC as a company has it, with two public and two private subnets."""

    ec2: Any
    vpc: str = ""
    public: list[str] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    private_routes: str = ""

    def make(self) -> "Network":
        self.vpc = self.ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
        self.set_names(True)
        self.public = [self._subnet(number, zone) for number, zone in enumerate("ab")]
        self.private = [self._subnet(number + 2, zone) for number, zone in enumerate("ab")]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        routes = self._route_table(self.public)
        self.ec2.create_route(RouteTableId=routes, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        self.private_routes = self._route_table(self.private)
        return self

    def set_names(self, on: bool) -> None:
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": on})

    def add_nat(self) -> None:
        nat = self.ec2.create_nat_gateway(SubnetId=self.public[0])["NatGateway"]["NatGatewayId"]
        self.ec2.create_route(
            RouteTableId=self.private_routes, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat
        )

    def add_endpoints(self, *names: str) -> None:
        for name in names:
            self.ec2.create_vpc_endpoint(
                VpcId=self.vpc,
                ServiceName=f"com.amazonaws.{REGION}.{name}",
                VpcEndpointType="Gateway" if name == "s3" else "Interface",
            )

    def _subnet(self, number: int, zone: str) -> str:
        made = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=f"10.50.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )
        return str(made["Subnet"]["SubnetId"])

    def _route_table(self, subnets: list[str]) -> str:
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        for subnet in subnets:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return str(table)

    def options(self, subnets: list[str]) -> list[str]:
        return ["--vpc", self.vpc, "--subnets", ",".join(subnets)]


@pytest.fixture
def network(cloud: Cloud) -> Network:
    return Network(cloud.client("ec2")).make()


def default_network(cloud: Cloud) -> Network:
    """The only VPC in which ministack has load balancers."""
    ec2 = cloud.client("ec2")
    [vpc] = [each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"] if each["IsDefault"]]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    network = Network(ec2, vpc, [each["SubnetId"] for each in subnets][:2])
    network.set_names(True)
    [main] = [each for each in ec2.describe_route_tables()["RouteTables"] if each["VpcId"] == vpc]
    [gateway] = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])[
        "InternetGateways"
    ]
    ec2.create_route(
        RouteTableId=main["RouteTableId"],
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateway["InternetGatewayId"],
    )
    return network


def network_of(cloud: Cloud, stack: str, service: str) -> dict[str, Any]:
    found: Any = services_of(cloud, stack)[service]["networkConfiguration"]
    return dict(found["awsvpcConfiguration"])


def plan(cloud: Cloud, stack: str, *options: str) -> CommandResult:
    return cloud.ecs("plan", "--tag", "v1", "--stack", stack, *options)


def test_a_deployment_runs_in_public_subnets_that_exist(cloud: Cloud, stack: str, network: Network) -> None:
    vpcs = len(network.ec2.describe_vpcs()["Vpcs"])
    up(cloud, stack, *network.options(network.public))
    for service in ("web", "worker", "redis"):
        assert sorted(network_of(cloud, stack, service)["subnets"]) == sorted(network.public)
        assert network_of(cloud, stack, service)["assignPublicIp"] == "ENABLED"
    assert len(network.ec2.describe_vpcs()["Vpcs"]) == vpcs
    # Its network cannot change, and need not be given again.
    assert succeed(cloud, stack, "up", "--yes").out.count("nothing to change") == 2
    moved = plan(cloud, stack, *network.options(network.private))
    assert moved.status == 2
    assert "its network cannot change" in moved.err
    succeed(cloud, stack, "down", "--yes")
    assert network.vpc in str(network.ec2.describe_vpcs())


def test_private_tasks_have_no_public_addresses(cloud: Cloud, stack: str, network: Network) -> None:
    network.add_nat()
    where = [*network.options(network.private), "--balancer-subnets", ",".join(network.public)]
    up(cloud, stack, *where, "--private")
    for service in ("web", "worker", "redis"):
        assert network_of(cloud, stack, service)["assignPublicIp"] == "DISABLED"
    [balancer] = [
        each
        for each in cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]
        if each["LoadBalancerName"] == stack
    ]
    assert balancer["Scheme"] == "internet-facing"
    assert sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"]) == sorted(network.public)


def test_an_internal_load_balancer_is_for_the_vpc_alone(cloud: Cloud, stack: str, network: Network) -> None:
    network.add_endpoints(*ENDPOINTS, "s3")
    said = plan(cloud, stack, *network.options(network.private), "--private", "--internal")
    assert said.status == 0, said.err
    assert (
        "NAT costs 33 USD a month and zone, endpoints 73, and through endpoints no webhook can be sent"
        in said.out
    )
    up(cloud, stack, *network.options(network.private), "--private", "--internal")
    balancers = cloud.client("elbv2").describe_load_balancers(Names=[stack])["LoadBalancers"]
    assert balancers[0]["Scheme"] == "internal"


def test_web_is_a_rule_at_the_listener_of_a_load_balancer_that_exists(cloud: Cloud, stack: str) -> None:
    elb = cloud.client("elbv2")
    network = default_network(cloud)
    group = network.ec2.create_security_group(GroupName=stack, Description="ours", VpcId=network.vpc)[
        "GroupId"
    ]
    balancer = elb.create_load_balancer(Name="ours", Subnets=network.public, SecurityGroups=[group])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    listener = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=answer)
    at = ["--listener", listener["Listeners"][0]["ListenerArn"], "--domain", "pay.example.com"]
    up(cloud, stack, *network.options(network.public), *at)
    assert succeed(cloud, stack, "url").out.strip() == "http://pay.example.com"
    rules = elb.describe_rules(ListenerArn=at[1])["Rules"]
    [rule] = [each for each in rules if each["Priority"] != "default"]
    assert rule["Priority"] == "1"
    assert "pay.example.com" in str(rule["Conditions"])
    assert services_of(cloud, stack)["web"]["loadBalancers"]
    groups = network.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])
    [web] = [each for each in groups["SecurityGroups"] if each["Description"] == "Web tasks"]
    [ingress] = web["IpPermissions"]
    assert [pair["GroupId"] for pair in ingress["UserIdGroupPairs"]] == [group]
    assert succeed(cloud, stack, "up", "--yes").out.count("nothing to change") == 2
    elsewhere = Network(cloud.client("ec2")).make()
    refused = plan(cloud, f"{stack}-2", *elsewhere.options(elsewhere.public), *at)
    assert "a load balancer in the same VPC" in refused.err


def test_subnets_where_tasks_could_not_start_are_refused_with_the_reason(
    cloud: Cloud, stack: str, network: Network
) -> None:
    refused = {
        "pass --private": plan(cloud, stack, *network.options(network.private)),
        "leave out --private": plan(cloud, stack, *network.options(network.public), "--private"),
        "add NAT or the endpoints": plan(cloud, stack, *network.options(network.private), "--private"),
        "in each of two zones": plan(cloud, stack, *network.options([network.public[0], network.private[0]])),
        "its subnets are": plan(cloud, stack, *network.options([network.public[0], "subnet-01234567"])),
    }
    for next_step, result in refused.items():
        assert result.status == 2, next_step
        assert next_step in result.err
        assert (
            "000000000000" in result.err or "two zones" in result.err
        )  # the account and the region are named
    network.add_endpoints("ecr.api", "s3")
    some = plan(cloud, stack, *network.options(network.private), "--private", "--internal")
    assert "no way to ecr.dkr, ecs, logs, secretsmanager;" in some.err
    network.set_names(False)
    nameless = plan(cloud, stack, *network.options(network.public))
    assert "--enable-dns-hostnames" in nameless.err


def test_callers_of_several_networks_are_let_in_and_can_change(cloud: Cloud, running: str) -> None:
    ec2 = cloud.client("ec2")

    def networks() -> list[str]:
        lists = [each for each in ec2.describe_managed_prefix_lists()["PrefixLists"] if running in str(each)]
        found = [
            ec2.get_managed_prefix_list_entries(PrefixListId=each["PrefixListId"])["Entries"]
            for each in lists
        ]
        return sorted(entry["Cidr"] for entries in found for entry in entries)

    assert networks() == ["0.0.0.0/0", "::/0"]
    succeed(cloud, running, "up", "--allow-cidr", "203.0.113.0/24,198.51.100.0/24,2001:db8::/32", "--yes")
    assert networks() == ["198.51.100.0/24", "2001:db8::/32", "203.0.113.0/24"]


def test_a_listener_that_is_not_there_is_refused(cloud: Cloud, stack: str) -> None:
    arn = "arn:aws:elasticloadbalancing:eu-central-1:000000000000:listener/app/ours/1/2"
    network = default_network(cloud)
    options = network.options(network.public)
    refused = plan(cloud, stack, "--listener", arn, "--domain", "pay.example.com", *options)
    assert refused.status == 2
    message, next_step = refused.err.splitlines()
    assert f"--listener {arn}: there is no such listener in region {REGION} of account" in message
    assert "describe-listeners" in next_step
