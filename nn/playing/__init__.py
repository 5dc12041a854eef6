"""The playground: a small network in the plane that one builds, trains and looks into, in a notebook or on a page.

    settings -> problem -> program -> experiment       what is trained, and how
    experiment -> snapshot, sample, landscape          what is seen of it
    conversation                                       messages from a view, frames for it
    widget, server                                     the two doors: a notebook's cell, a page on the loopback address
    view/                                              JavaScript and CSS, the same behind both doors

A view asks for frames, and the experiment trains only when it is asked: there are no threads and no timers, and a
closed cell stops its training by asking no more.
"""

from nn.playing.handle import Playground, playground

__all__ = ["Playground", "playground"]
