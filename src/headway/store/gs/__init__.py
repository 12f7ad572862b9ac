"""A small client of Google Cloud Storage that needs nothing but the standard library, for launcher and pods."""
