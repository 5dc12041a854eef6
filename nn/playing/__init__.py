"""The playground: a small network in the plane to build, train and look into, in a notebook or on a page.

    settings -> problem -> program -> experiment       what is trained, and how
    experiment -> snapshot, sample, landscape          the parts of it that a view shows
    conversation                                       messages from a view, and the frames that answer them
    widget, server                                     the places of a view: a notebook's cell, a page on this machine
    view/                                              JavaScript and CSS, the same for both

The experiment trains only when a view asks for a frame: there are no threads and no timers. A closed cell asks for no
more frames, so its training stops.
"""

from nn.playing.handle import Playground, playground

__all__ = ["Playground", "playground"]
