"""The matrix test's parts: graphs as data, features as small classes, and what renders, runs and checks them."""
