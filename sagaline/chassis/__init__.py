"""What a service stands on: messages in, effects once, messages out; no business word."""
