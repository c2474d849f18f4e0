"""How Nova's driver talks to a guest's machine: one line of JSON each way over a socket in the guest's folder.

The socket answers as long as the machine runs, so it is also how the driver knows that it does.
For faults, `monitor.py COMMAND FOLDER... [KEY=VALUE...]` tells one guest after another.
"""
import json
import os
import socket
import sys

SECONDS = 20
# Longer than copying a guest's volumes takes.
FAULT_SECONDS = 300
# No machine, one that was killed, one that ends while it is asked.
GONE = (FileNotFoundError, ConnectionError, json.JSONDecodeError)


def listen(folder):
    path = f'{folder}/monitor'
    if os.path.exists(path):
        os.unlink(path)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    return server


def answer(server, commands):
    """Serves one request: `do` names the command, the rest are its arguments."""
    connection, _ = server.accept()
    connection.settimeout(1)
    with connection, connection.makefile('rw') as stream:
        try:
            request = json.loads(stream.readline())
            reply = {'result': commands[request.pop('do')](**request)}
        except Exception as error:  # the machine outlives whatever a request does
            reply = {'error': f'{type(error).__name__}: {error}'}
        try:
            stream.write(json.dumps(reply) + '\n')
            stream.flush()
        except OSError:
            pass  # who asked does not wait for the answer any more


def ask(folder, do, seconds=SECONDS, **arguments):
    with _connect(folder, seconds) as connection, connection.makefile('rw') as stream:
        stream.write(json.dumps({'do': do, **arguments}) + '\n')
        stream.flush()
        reply = json.loads(stream.readline())
    if 'error' in reply:
        raise RuntimeError(reply['error'])
    return reply['result']


def runs(folder):
    try:
        return ask(folder, 'ping') is None
    except GONE:
        return False
    except TimeoutError:
        return True


def _connect(folder, seconds):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(seconds)
    try:
        connection.connect(f'{folder}/monitor')
    except OSError:
        connection.close()
        raise
    return connection


if __name__ == '__main__':
    command, *rest = sys.argv[1:]
    options = dict(each.split('=', 1) for each in rest if '=' in each)
    for guest in (each for each in rest if '=' not in each):
        ask(guest, command, seconds=FAULT_SECONDS, **options)
