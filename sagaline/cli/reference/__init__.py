"""The reference pages, made from what they describe: `python -m sagaline.cli.reference`."""
