"""What runs inside a worker or a pod: load inputs, call the step, commit the result."""
