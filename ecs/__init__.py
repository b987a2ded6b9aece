"""Paygrade on Amazon ECS: CloudFormation templates, and the commands that apply, watch and remove them."""
