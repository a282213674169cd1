"""Packages of schemas: what their models and catalog stand on, and what generates and checks them.

At run time it needs pydantic alone. The commands `python -m sagaline.avro.generate`, `lint` and
`release` also need fastavro, PyYAML and ruff: `pip install 'sagaline[schemas]'`.
"""
