"""A library has its own threads back when the last of ours has left."""

from cnnviz.engines import ENGINES, load
from cnnviz.engines.threads import OneThread


def test_last_to_leave_gives_the_threads_back() -> None:
    threads = [8]
    one_thread = OneThread(lambda: threads[0], lambda count: threads.__setitem__(0, count))
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    assert threads == [1]
    first.__exit__(None, None, None)
    assert threads == [1]
    second.__exit__(None, None, None)
    assert threads == [8]


def test_engines_keep_to_one_thread() -> None:
    import cv2
    import torch

    before = cv2.getNumThreads(), torch.get_num_threads()
    with load(ENGINES[0]).one_thread(), load(ENGINES[1]).one_thread():
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (1, 1)
    assert (cv2.getNumThreads(), torch.get_num_threads()) == before
