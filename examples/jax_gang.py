"""Two pods that sum an array with jax: each knows where rank 0 is from its environment, and its place from `current`.

    python examples/jax_gang.py run

jax travels with the code, so that any image with Python will do; where an image has it, leave out `@pypi`.
"""

from headway import FlowSpec, current, kubernetes, parallel, pypi, step


class JaxFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.train, num_parallel=2)

    @pypi(packages={"jax": ">=0.5"})
    @kubernetes(cpu=0.3, memory=400, disk=2000)
    @parallel
    @step
    def train(self):
        import jax
        import jax.numpy as jnp
        from jax.experimental import multihost_utils

        jax.config.update("jax_platforms", "cpu")
        gang = current.parallel
        # The environment says where rank 0 is; jax need not ask the cluster, which a pod may have no right to.
        jax.distributed.initialize(
            num_processes=gang.num_nodes, process_id=gang.node_index, cluster_detection_method="deactivate"
        )
        self.seen = (jax.process_index(), jax.process_count())
        gathered = multihost_utils.process_allgather(jnp.full((4,), 10.0 ** jax.process_index()))
        self.total = [float(value) for value in gathered.sum(axis=0)]
        print(self.seen, self.total, flush=True)
        self.next(self.join)

    @step
    def join(self, inputs):
        assert sorted(each.seen for each in inputs) == [(0, 2), (1, 2)], [each.seen for each in inputs]
        assert all(each.total == [11.0] * 4 for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    JaxFlow()
