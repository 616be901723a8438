"""Acquires dynamic users from dynuserd. One file, and nothing but Python's own modules (3.9 or newer).

    with dynuser.acquire("job", runtime_directory=["job"]) as user:
        user.run(["make", "check"], cwd=user.directories[0]["publicPath"])

The user lives as long as the lease, which ends with the block, or with this process however that ends. What still runs as
the user then is ended.
"""

import errno
import json
import os
import socket
import subprocess
import time

__all__ = ["acquire", "explain", "list_leases", "release", "Lease", "DynuserError"]

# Seconds for one answer: above the daemon's own search for a UID. Progress gives it more time.
TIMEOUT = 60.0
# The longest message that is read, in bytes.
MESSAGE_BYTES_MAX = 8 * 1024 * 1024
_ALLOCATOR = "io.dynuser.Allocator."
_READ_BYTES = 65536


class DynuserError(Exception):
    """code: the error of the interface without its prefix, or ConnectionFailed, Timeout, InvalidParameter, UnexpectedReply.
    reason: what is wrong and what to do. field: the parameter that it is about, or None."""

    def __init__(self, code, reason, field=None, held=None):
        super().__init__("%s: %s" % (code, reason))
        self.code = code
        self.reason = reason
        self.field = field
        self.held = held


class _Connection:
    """One connection, and one call on it at a time."""

    def __init__(self, path, timeout):
        self.timeout = timeout
        self.rest = b""
        self.socket = _open(path, timeout)

    def call(self, method, parameters, more=False, on_progress=None):
        """Yields the parameters of each reply."""
        message = {"method": _ALLOCATOR + method, "parameters": parameters}
        if more:
            message["more"] = True
        deadline = time.monotonic() + self.timeout
        try:
            self.socket.settimeout(self.timeout)
            self.socket.sendall(json.dumps(message).encode() + b"\0")
            while True:
                reply = self._receive(deadline)
                found = reply.get("parameters") or {}
                if "error" in reply:
                    raise _error_of(reply["error"], found)
                if found.get("progress") is not None:
                    deadline = time.monotonic() + self.timeout
                    if on_progress is not None:
                        on_progress(found["progress"])
                else:
                    yield found
                if not reply.get("continues"):
                    return
        except socket.timeout:
            raise DynuserError("Timeout", "no answer to %s in %g seconds" % (method, self.timeout)) from None
        except OSError as error:
            raise DynuserError("ConnectionFailed", "lost the daemon: %s" % error) from error

    def _receive(self, deadline):
        while b"\0" not in self.rest:
            if len(self.rest) > MESSAGE_BYTES_MAX:
                raise DynuserError("UnexpectedReply", "a reply is longer than %d bytes" % MESSAGE_BYTES_MAX)
            left = deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout()
            self.socket.settimeout(left)
            read = self.socket.recv(_READ_BYTES)
            if read == b"":
                raise DynuserError("ConnectionFailed", "the daemon closed the connection before it answered")
            self.rest += read
        message, self.rest = self.rest.split(b"\0", 1)
        try:
            reply = json.loads(message)
        except ValueError as error:
            raise DynuserError("UnexpectedReply", "a reply is not JSON: %s" % error) from error
        if not isinstance(reply, dict) or not isinstance(reply.get("parameters") or {}, dict):
            raise DynuserError("UnexpectedReply", "a reply is not an object")
        return reply

    def close(self):
        self.socket.close()


def _paths(path):
    if path is not None:
        return [path]
    directory = os.environ.get("DYNUSER_RUNTIME_DIRECTORY", "")
    if not directory.startswith("/"):
        directory = "/run/dynuser"
    # The first is for those who may acquire; the second is everybody's.
    return [directory + "/io.dynuser.Allocator", directory + "/io.dynuser.DynamicUser"]


def _open(path, timeout):
    for candidate in _paths(path):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(candidate)
            return connection
        except OSError as error:
            connection.close()
            failure = error
            if error.errno not in (errno.ENOENT, errno.EACCES, errno.EPERM, errno.ECONNREFUSED):
                break
    raise DynuserError("ConnectionFailed", "cannot connect to dynuserd at %s: %s" % (candidate, failure)) from failure


def _error_of(name, parameters):
    reason = parameters.get("reason")
    if not isinstance(name, str):
        return DynuserError("UnexpectedReply", "the daemon answered with an error that has no name")
    if name.startswith(_ALLOCATOR):
        code = name[len(_ALLOCATOR) :]
        return DynuserError(code, reason or "the daemon gave no reason", parameters.get("field"), parameters.get("held"))
    if name == "org.varlink.service.InvalidParameter":
        field = parameters.get("parameter")
        return DynuserError("InvalidParameter", "the daemon does not take %s, or not with this value" % field, field)
    return DynuserError("UnexpectedReply", "the daemon answered with the error %s" % name)


def _camel(name):
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _parameters(names):
    """As the interface has them: state_directory is stateDirectory."""
    return {_camel(name): value for name, value in names.items() if value is not None}


def _once(method, parameters, path, timeout):
    connection = _Connection(path, timeout)
    try:
        return list(connection.call(method, parameters))[-1]
    finally:
        connection.close()


class Lease:
    """A user that was acquired: uid, gid, user_name, unit, dynamic, lease (its id), directories and environment.

    Each lease of lifetime "connection" has a connection, which ends with this process. A child that is forked, and executes
    no program, shares it: the lease then lasts until the child ends, too."""

    def __init__(self, reply, lifetime, connection, path, timeout):
        try:
            self.uid = int(reply["uid"])
            self.gid = int(reply["gid"])
            self.user_name = reply["userName"]
            self.unit = reply["unit"]
            self.dynamic = reply["dynamic"]
            self.lease = reply["lease"]
            self.directories = reply.get("directories") or []
            self.environment = reply.get("environment") or {}
        except (KeyError, TypeError, ValueError) as error:
            raise DynuserError("UnexpectedReply", "an answer lacks %s" % error) from error
        self.lifetime = lifetime
        self._connection = connection
        self._path = path
        self._timeout = timeout

    def fileno(self):
        """For poll(2): it becomes readable if the daemon is lost. Then claim() has some seconds to get the lease back."""
        if self._connection is None:
            raise ValueError("a lease of lifetime %s has no connection" % self.lifetime)
        return self._connection.socket.fileno()

    def claim(self):
        """Takes the lease back from a daemon that has been started again. Raises NoSuchLease if it is lost."""
        connection = _Connection(self._path, self._timeout)
        try:
            (reply,) = connection.call("Claim", {"lease": self.lease})
            if reply.get("uid") != self.uid:
                raise DynuserError("UnexpectedReply", "the lease had the UID %d before" % self.uid)
        except BaseException:
            connection.close()
            raise
        if self._connection is not None:
            self._connection.close()
        self._connection = connection

    def release(self):
        """Ends the lease, and returns when nothing is left of the user; or what keeps its UID reserved, in words."""
        connection, self._connection = self._connection, None
        if connection is None:
            return release(self.lease, self._path, self._timeout)
        try:
            (reply,) = connection.call("Release", {"lease": self.lease})
            return reply.get("remains")
        finally:
            connection.close()

    def popen(self, args, **options):
        """subprocess.Popen as the user, without the groups of this process. What it needs of an environment is added."""
        env = dict(options.pop("env", os.environ))
        env.update(USER=self.user_name, LOGNAME=self.user_name, HOME="/", **self.environment)
        options.setdefault("cwd", "/")
        return subprocess.Popen(args, user=self.uid, group=self.gid, extra_groups=[], env=env, **options)

    def run(self, args, **options):
        """Runs a command as the user, to its end, and returns its exit status."""
        with self.popen(args, **options) as process:
            return process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        try:
            self.release()
        except DynuserError as error:
            # The lease had ended before: with the daemon, after its time, or by root.
            if error.code not in ("NoSuchLease", "ConnectionFailed"):
                raise


def acquire(unit, *, lifetime="connection", path=None, timeout=TIMEOUT, on_progress=None, **parameters):
    """Acquires the user of a unit, or joins the user if it lives already.

    lifetime: "connection": until it is released, or this process ends. "process": until the process pid= ends, or this one.
    "unit", "timed" (seconds=), "running", "explicit": as the interface has them. Further parameters are those of Acquire with
    underscores: user_name, state_directory=["web"], runtime_directory_mode=0o700, description."""
    connection = _Connection(path, timeout)
    try:
        asked = {"unit": unit, "lifetime": lifetime, **_parameters(parameters)}
        found = list(connection.call("Acquire", asked, True, on_progress))
        if len(found) != 1:
            raise DynuserError("UnexpectedReply", "%d answers to Acquire" % len(found))
        lease = Lease(found[0], lifetime, connection if lifetime == "connection" else None, path, timeout)
    except BaseException:
        connection.close()
        raise
    if lifetime != "connection":
        connection.close()
    return lease


def release(lease, path=None, timeout=TIMEOUT):
    """Ends a lease by its id. Returns what keeps the UID reserved, in words, or None."""
    return _once("Release", {"lease": lease}, path, timeout).get("remains")


def list_leases(path=None, timeout=TIMEOUT):
    """The live leases of the host, as the interface has them."""
    connection = _Connection(path, timeout)
    try:
        replies = list(connection.call("List", {}, True))
        return [reply["lease"] for reply in replies if reply.get("lease") is not None]
    finally:
        connection.close()


def explain(unit, *, path=None, timeout=TIMEOUT, **parameters):
    """What acquire() would do, and why; nothing is changed."""
    return _once("Explain", {"unit": unit, **_parameters(parameters)}, path, timeout)
