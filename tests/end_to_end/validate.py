"""Holds YAML documents against a JSON Schema: `python validate.py SCHEMA`, a JSON list of documents on stdin.

Prints a JSON list: for each, the schema's objections.
"""

import json
import sys

import jsonschema
import yaml

with open(sys.argv[1]) as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
documents = json.load(sys.stdin)
print(json.dumps([[error.message for error in validator.iter_errors(yaml.safe_load(text))] for text in documents]))
