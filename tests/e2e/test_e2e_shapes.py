def test_linear(workspace):
    r = workspace.run_flow("linear.py", "run", "--with", "kubernetes")
    print(r.all)
    assert r.returncode == 0
    v = workspace.read("LinearFlow", r)
    print(v)
