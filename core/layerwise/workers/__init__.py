"""Processes in which the models of plugins answer that are not built in, so that no plugin can break the house.

    pool.py       which models have them, how often they died (`Workers`)
    runner.py     a runner whose work is done in one (`WorkerRunner`)
    worker.py     the process as seen by those who ask it: started, asked, watched, ended
    process.py    what runs in it
    messages.py   what passes between the two
    limits.py, memory.py, stacks.py    how long and how large it may be, how large it is, where it hangs
    guard.py, guardian.py              the end of all of them when this process is gone
    rehearsal.py, rehearsing.py        plugins are loaded in a process of their own before this one loads them

There is a process for each version that is in use: what one model does to itself harms no other, a promoted version
starts with the code that is there then, and its life is that of its runner.
"""
