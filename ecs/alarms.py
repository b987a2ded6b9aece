"""The alarms of a deployment."""

from ecs.names import ResourceNames
from ecs.template import Template


def alarm_names(names: ResourceNames) -> list[str]:
    """Also of those that this deployment does not have: CloudWatch ignores them."""
    alarms = [
        each
        for template in ("app", "events")
        for each in Template(template).parsed["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    ]
    return [
        str(alarm["Properties"]["AlarmName"]["Fn::Sub"]).replace("${Name}", names.deployment)
        for alarm in alarms
    ]
