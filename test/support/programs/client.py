"""Drives clients/python/dynuser.py for a test: a line of standard input is a step, and each says what came of it."""

import os
import select
import signal
import subprocess
import sys

import dynuser


def tell(*words):
    print(*words, flush=True)


def refused(call):
    try:
        call()
    except dynuser.DynuserError as error:
        return "%s %s" % (error.code, error.field)
    return "done"


with dynuser.acquire("web", runtime_directory=["web"], description="a test") as web:
    tell(web.user_name, web.uid == web.gid, web.directories[0]["publicPath"], web.environment["RUNTIME_DIRECTORY"])
    tell(web.run(["sh", "-c", 'test "$(id -un) $(id -G)" = "web $(id -u)" && touch $RUNTIME_DIRECTORY/mine']))
    tell(*(lease["userName"] + " " + lease["lifetime"] for lease in dynuser.list_leases()))
    # The end of the lease ends what was left running.
    left = web.popen(["sleep", "1000"])
tell(left.wait() == -signal.SIGTERM, len(dynuser.list_leases()))

tell(refused(lambda: dynuser.acquire("no/name")))
tell(refused(lambda: dynuser.acquire("web", state_directory=["../x"])))
tell(refused(lambda: dynuser.acquire("web", sparkle=True)))
tell(refused(lambda: dynuser.release("0" * 32)))
tell(refused(lambda: dynuser.acquire("web", path="/nowhere")))
tell(dynuser.explain("web")["outcome"])

child = subprocess.Popen(["sleep", "1000"])
bound = dynuser.acquire("bound", lifetime="process", pid=child.pid)
child.kill()
child.wait()
while any(lease["userName"] == "bound" for lease in dynuser.list_leases()):
    select.select([], [], [], 0.05)
tell("bound has ended")

kept = dynuser.acquire("kept")
tell("restart", kept.uid)
sys.stdin.readline()
tell(bool(select.select([kept], [], [], 20)[0]), "the daemon is lost")
sys.stdin.readline()
kept.claim()
tell([lease["uid"] for lease in dynuser.list_leases()] == [kept.uid], kept.release(), refused(kept.claim))

# A process that is killed leaves nothing.
dynuser.acquire("killed")
os.kill(os.getpid(), signal.SIGKILL)
