"""What Kubernetes' own OpenAPI document says about the kinds served here."""
