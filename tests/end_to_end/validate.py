"""Holds YAML documents against a JSON Schema: `python validate.py SCHEMA`, a JSON list of documents on stdin.

Prints a JSON list: for each, the schema's objections.
"""

import json
import sys

import jsonschema
import yaml


class Yaml12(yaml.SafeLoader):
    """As editors read: a date is text."""


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

with open(sys.argv[1]) as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
documents = json.load(sys.stdin)
said = [[error.message for error in validator.iter_errors(yaml.load(text, Yaml12))] for text in documents]
print(json.dumps(said))
