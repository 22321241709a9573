"""moto_server with the gaps of moto 5.2 closed that a whole `terraform apply` of this stack, and a plan after it, run into.

usage: moto_plus.py   (a free port of 127.0.0.1, told on the standard error)
"""
import json
import os
import sys

os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")  # AmazonECSTaskExecutionRolePolicy

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as AutoScaling
from moto.athena.responses import AthenaResponse
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecr.responses import ECRResponse as Ecr
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse as Ecs
from moto.events.models import Rule
from moto.iam.access_control import PermissionResult
from moto.rds.models import DBParameterGroup
from moto.s3.models import FakeBucket
from moto.server import main
from moto.sqs.models import Queue

# Scalable targets have tags.
TAGS = {}


def asked(self):
    return json.loads(self.body or "{}")


def list_tags(self):
    return json.dumps({"Tags": TAGS.get(asked(self).get("ResourceARN"), {})})


def tag(self):
    TAGS.setdefault(asked(self)["ResourceARN"], {}).update(asked(self).get("Tags", {}))
    return "{}"


def untag(self):
    for key in asked(self).get("TagKeys", []):
        TAGS.get(asked(self)["ResourceARN"], {}).pop(key, None)
    return "{}"


register = AutoScaling.register_scalable_target


def register_with_tags(self):
    answer = register(self)
    if asked(self).get("Tags"):
        TAGS.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(asked(self)["Tags"])
    return answer


AutoScaling.list_tags_for_resource, AutoScaling.tag_resource, AutoScaling.untag_resource = list_tags, tag, untag
AutoScaling.register_scalable_target = register_with_tags

# Queues have a redrive-allow policy, and keep their policy when another attribute is set.
Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")
Queue.redrive_allow_policy = None
set_attributes = Queue._set_attributes


def set_all_attributes(self, attributes, now=None):
    if "RedriveAllowPolicy" in attributes:
        self.redrive_allow_policy = attributes["RedriveAllowPolicy"] or None
    policy = getattr(self, "policy", None)
    set_attributes(self, {k: v for k, v in attributes.items() if k != "RedriveAllowPolicy"}, now)
    if "Policy" not in attributes:
        self.policy = policy


shown = Queue.attributes.fget


def attributes(self):
    answer = shown(self)
    if self.redrive_policy:
        answer["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
    return answer


Queue._set_attributes = set_all_attributes
Queue.attributes = property(attributes)


# Events say whose they are, as AWS sends them.
send_to_queue = Rule._send_to_sqs_queue


def send_with_account(self, queue, event, group=None):
    event["account"] = self.account_id
    send_to_queue(self, queue, event, group)


Rule._send_to_sqs_queue = send_with_account


# Named queries can be deleted.
def delete_named_query(self):
    self.athena_backend.named_queries.pop(self._get_param("NamedQueryId"), None)
    return "{}"


AthenaResponse.delete_named_query = delete_named_query

# Rules of security groups keep the description that stands with a group, not with addresses.
SecurityGroupRule.description = property(
    lambda self: self.ip_range.get("Description") or self.source_group.get("Description")
)

# Buckets refuse what comes without TLS, which is all that comes here.
FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL

# Services keep their capacity providers, and say whether tasks are spread over zones anew. No container runs here: a service is told
# to have all that it asks for.
create_service = Ecs.create_service


def create_with_strategy(self):
    answer = create_service(self)
    service = answer.result["service"]
    service.capacity_provider_strategy = self._get_param("capacityProviderStrategy") or []
    service.availability_zone_rebalancing = self._get_param("availabilityZoneRebalancing") or "DISABLED"
    service.running_count, service.pending_count = service.desired_count, 0
    service.deployments[0].update(rolloutState="COMPLETED", runningCount=service.desired_count, pendingCount=0)
    return answer


Ecs.create_service = create_with_strategy

# On Fargate it is the task that has memory, not each of its containers.
EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(
    lambda definition: {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}
)

# The registry is where the test has one.
get_token = Ecr.get_authorization_token


def token_of_the_registry(self):
    answer = get_token(self)
    for data in answer.result["authorizationData"]:
        data["proxyEndpoint"] = os.environ.get("REGISTRY", data["proxyEndpoint"])
    return answer


Ecr.get_authorization_token = token_of_the_registry

# Parameters of a database that somebody set are told to be so.
update_parameters = DBParameterGroup.update_parameters


def update_as_user(self, parameters):
    update_parameters(self, [{**parameter, "Source": "user"} for parameter in parameters])


DBParameterGroup.update_parameters = update_as_user

main(["-H", "127.0.0.1", "-p", sys.argv[1] if len(sys.argv) > 1 else "0"])
