"""What ZenML keeps by integration."""
