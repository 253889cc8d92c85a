"""A command on the processes of `torchrun`: the first runs it, the others help it to train.

torchrun --nproc-per-node 2 -m dumbbell.together embed --home HOME
"""

from __future__ import annotations


def main() -> None:
    """Lead or follow, by this process's rank."""
    from dumbbell.__main__ import main as command
    from embeddings.distributed import joined
    from embeddings.gnn_training import follow

    with joined() as here:
        if here.rank == 0:
            command()
        else:
            follow(here)


if __name__ == "__main__":
    main()
