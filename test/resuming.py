"""Runs that end between two updates and are taken up by another trainer, in this process; killing.py kills some."""

import contextlib

from rnntag.training.checkpoint import Checkpoints


def stopped(run, folder, updates, identity={}):
    """The trainer ``run`` after so many updates, when it wrote a checkpoint and ended."""
    with Checkpoints(folder / "m", identity) as place, contextlib.suppress(InterruptedError):
        def progress(tokens):
            nonlocal updates
            updates -= 1
            if updates == 0:
                place.save(run)
                raise InterruptedError

        for epoch in run.epochs(progress):
            place.log.append(epoch.to_dict())
    assert updates == 0, "it ended before"
    return run


def rest(run, folder, identity={}):
    """That run taken up by the trainer ``run``: its log, and its weights as bytes."""
    with Checkpoints(folder / "m", identity, resume=True) as place:
        assert place.restore(run)
        for epoch in run.epochs():
            place.log.append(epoch.to_dict())
        log = place.log
        place.finish()
    return log, weights(run)


def whole(run):
    """The same of a run that nothing happened to."""
    return [epoch.to_dict() for epoch in run.epochs()], weights(run)


def weights(run):
    return {name: array.tobytes() for name, array in run.result().params.items()}


def ends_the_same(start, folder, *moments):
    """A run of a trainer that ``start()`` makes, stopped after each of these numbers of updates and taken up, has the
    log and the weights of one that was not stopped."""
    wanted = whole(start())
    for updates in moments:
        stopped(start(), folder, updates)
        assert rest(start(), folder) == wanted, f"another end after {updates} updates"
