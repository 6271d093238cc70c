"""A controller of machines and its racks, in the shape of MAAS's commands, with argument types as such a program writes them for itself.

The twins in Rust are in `machines.rs`. `SAMPLES` has for each command its arguments and what it is answered with: a response, or an error.
"""

import datetime
import ipaddress
import json
import zlib
from urllib.parse import urlparse

from twisted.protocols import amp


class Choice(amp.Argument):
    """One of some texts, each for a value of this program."""

    def __init__(self, choices, optional=False):
        super().__init__(optional)
        self.choices = choices
        self.values = {name: value for value, name in choices.items()}

    def toString(self, inObject):
        return self.choices[inObject].encode("ascii")

    def fromString(self, inString):
        return self.values[inString.decode("ascii")]


class URL(amp.Argument):
    def toString(self, inObject):
        return inObject.geturl().encode("ascii")

    def fromString(self, inString):
        return urlparse(inString.decode("ascii"))


class Structure(amp.Argument):
    """Anything of JSON, compressed."""

    def toString(self, inObject):
        return zlib.compress(json.dumps(inObject, separators=(",", ":"), sort_keys=True).encode("ascii"))

    def fromString(self, inString):
        return json.loads(zlib.decompress(inString).decode("ascii"))


class CompressedAmpList(amp.AmpList):
    def toStringProto(self, inObject, proto):
        return zlib.compress(super().toStringProto(inObject, proto))

    def fromStringProto(self, inString, proto):
        return super().fromStringProto(zlib.decompress(inString), proto)


class IPAddress(amp.Argument):
    """As its four or sixteen bytes."""

    def toString(self, inObject):
        return inObject.packed

    def fromString(self, inString):
        return ipaddress.ip_address(inString)


class IPNetwork(amp.Argument):
    def toString(self, inObject):
        return str(inObject).encode("ascii")

    def fromString(self, inString):
        return ipaddress.ip_network(inString.decode("ascii"))


class CannotRegister(Exception):
    """A rack is not known, and may not be."""


class CannotConfigureDHCP(Exception):
    pass


class UnknownPowerType(Exception):
    pass


class PowerActionFail(Exception):
    pass


class PowerActionAlreadyInProgress(Exception):
    pass


class NoSuchNode(Exception):
    pass


class _Command(amp.Command):
    pass


class RegisterRack(_Command):
    arguments = [
        (b"system_id", amp.Unicode(optional=True)),
        (b"hostname", amp.Unicode()),
        (b"interfaces", Structure()),
        (b"url", URL(optional=True)),
        (b"version", amp.Unicode(optional=True)),
    ]
    response = [(b"system_id", amp.Unicode()), (b"uuid", amp.Unicode(optional=True))]
    errors = {CannotRegister: b"CannotRegister"}


class ReportImages(_Command):
    arguments = [
        (b"uuid", amp.Unicode()),
        (
            b"images",
            CompressedAmpList(
                [
                    (b"architecture", amp.Unicode()),
                    (b"release", amp.Unicode()),
                    (b"purpose", Choice({1: "install", 2: "commissioning"})),
                    (b"size", amp.Integer(optional=True)),
                ]
            ),
        ),
    ]


class GetBootConfig(_Command):
    arguments = [
        (b"system_id", amp.Unicode()),
        (b"local_ip", IPAddress()),
        (b"remote_ip", IPAddress()),
        (b"mac", amp.Unicode(optional=True)),
    ]
    response = [
        (b"kernel", amp.Unicode()),
        (b"purpose", Choice({1: "install", 2: "commissioning"})),
        (b"log_host", IPAddress(optional=True)),
        (b"preseed_url", URL()),
        (b"boot_dhcp", amp.Boolean()),
    ]
    errors = {NoSuchNode: b"NoSuchNode"}


DHCP = [
    (b"omapi_key", amp.Unicode()),
    (b"failover_peers", CompressedAmpList([(b"name", amp.Unicode()), (b"address", IPAddress())])),
    (b"shared_networks", Structure()),
    (b"hosts", CompressedAmpList([(b"host", amp.Unicode()), (b"mac", amp.Unicode()), (b"ip", amp.Unicode())])),
    (b"interfaces", amp.AmpList([(b"name", amp.Unicode())])),
]


class ConfigureDHCPv4(_Command):
    arguments = DHCP
    errors = {CannotConfigureDHCP: b"CannotConfigureDHCP"}


class ConfigureDHCPv6(_Command):
    arguments = DHCP + [(b"prefixes", amp.ListOf(IPNetwork()))]
    errors = {CannotConfigureDHCP: b"CannotConfigureDHCP"}


POWER = [
    (b"system_id", amp.Unicode()),
    (b"hostname", amp.Unicode()),
    (b"power_type", amp.Unicode()),
    (b"context", Structure()),
]
POWER_ERRORS = {
    UnknownPowerType: b"UnknownPowerType",
    PowerActionFail: b"PowerActionFail",
    PowerActionAlreadyInProgress: b"PowerActionAlreadyInProgress",
}


class PowerOn(_Command):
    arguments = POWER
    errors = POWER_ERRORS


class PowerOff(_Command):
    arguments = POWER
    errors = POWER_ERRORS


class PowerQuery(_Command):
    arguments = POWER
    response = [(b"state", Choice({True: "on", False: "off", None: "unknown"})), (b"error_msg", amp.Unicode(optional=True))]
    errors = POWER_ERRORS


class AddChassis(_Command):
    arguments = [
        (b"user", amp.Unicode()),
        (b"chassis-type", Choice({"m": "mscm", "v": "vmware"})),
        (b"networks", amp.ListOf(IPNetwork())),
        (b"accept_all", amp.Boolean()),
        (b"port", amp.Integer(optional=True)),
        (b"labels", amp.AmpList([(b"key", amp.Unicode()), (b"value", amp.Unicode())])),
    ]


class SendEvent(_Command):
    arguments = [
        (b"system_id", amp.Unicode()),
        (b"type_name", amp.Unicode()),
        (b"timestamp", amp.DateTime()),
        (b"elapsed", amp.Decimal(optional=True)),
    ]


_power = {"system_id": "4y3h7n", "hostname": "quick-colt", "power_type": "ipmi", "context": {"power_address": "10.0.0.9", "ports": [623, 624]}}
_dhcp = {
    "omapi_key": "c2VjcmV0",
    "failover_peers": [{"name": "rack-1", "address": ipaddress.ip_address("10.0.0.1")}, {"name": "rack-2", "address": ipaddress.ip_address("fe80::2")}],
    "shared_networks": [{"name": "alpha", "subnets": [{"mask": "255.255.255.0", "pools": []}]}],
    "hosts": [{"host": "host-%d" % number, "mac": "00:16:3e:00:00:%02x" % number, "ip": "10.0.1.%d" % number} for number in range(100)],
    "interfaces": [{"name": "eth0"}, {"name": "br\u00fccke"}],
}

SAMPLES = [
    (
        RegisterRack,
        {"system_id": None, "hostname": "rack", "interfaces": {"eth0": {"enabled": True, "links": [{"mtu": 1500, "note": "caf\u00e9 \u2603"}]}}, "url": urlparse("http://region.example.com:5240/MAAS"), "version": None},
        {"system_id": "4y3h7n", "uuid": None},
    ),
    (RegisterRack, {"system_id": "4y3h7n", "hostname": "unknown", "interfaces": {}, "url": None, "version": "3.5"}, CannotRegister("rack 'unknown' is not known")),
    (
        ReportImages,
        {"uuid": "f0", "images": [{"architecture": "amd64", "release": release, "purpose": 1 + number % 2, "size": number * 10 if number else None} for number, release in enumerate(["focal", "jammy", "noble"])]},
        {},
    ),
    (ReportImages, {"uuid": "", "images": []}, {}),
    (
        GetBootConfig,
        {"system_id": "4y3h7n", "local_ip": ipaddress.ip_address("10.0.0.1"), "remote_ip": ipaddress.ip_address("2001:db8::1"), "mac": "00:16:3e:00:00:01"},
        {"kernel": "ga-22.04", "purpose": 2, "log_host": ipaddress.ip_address("10.0.0.2"), "preseed_url": urlparse("http://10.0.0.1/preseed?op=get&x=%20"), "boot_dhcp": True},
    ),
    (GetBootConfig, {"system_id": "gone", "local_ip": ipaddress.ip_address("::"), "remote_ip": ipaddress.ip_address("0.0.0.0"), "mac": None}, NoSuchNode("")),
    (ConfigureDHCPv4, _dhcp, {}),
    (ConfigureDHCPv6, {**_dhcp, "prefixes": [ipaddress.ip_network("2001:db8::/32"), ipaddress.ip_network("10.0.0.0/8")]}, CannotConfigureDHCP("no \u2603")),
    (PowerOn, _power, {}),
    (PowerOff, {**_power, "power_type": "abacus"}, UnknownPowerType("abacus")),
    (PowerOff, {**_power, "context": []}, PowerActionFail("it does not answer")),
    (PowerOff, _power, PowerActionAlreadyInProgress("wait")),
    (PowerQuery, _power, {"state": None, "error_msg": "timeout"}),
    (PowerQuery, {**_power, "context": None}, {"state": True, "error_msg": None}),
    (
        AddChassis,
        {"user": "admin", "chassis_type": "v", "networks": [ipaddress.ip_network("192.168.0.0/24")], "accept_all": False, "port": None, "labels": [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]},
        {},
    ),
    (
        SendEvent,
        {"system_id": "4y3h7n", "type_name": "NODE_PXE_REQUEST", "timestamp": datetime.datetime(2026, 12, 1, 7, 30, 15, 123456, amp.utc), "elapsed": None},
        {},
    ),
]


def without_absent(arguments):
    return {name: value for name, value in arguments.items() if value is not None}


def responder_for(command):
    """Answers a command that has the arguments of a sample, as the sample says."""

    def respond(self, **arguments):
        for declared, expected, answer in SAMPLES:
            if declared is command and without_absent(expected) == without_absent(arguments):
                if isinstance(answer, Exception):
                    raise answer
                return answer
        raise AssertionError("no sample has these: %r" % arguments)

    return respond


def play(call):
    """Calls every sample, one after the other. Returns how many were answered as they say, and what was not."""
    from twisted.internet.defer import inlineCallbacks

    @inlineCallbacks
    def play():
        answered = 0
        for command, arguments, answer in SAMPLES:
            try:
                told = yield call(command, **arguments)
            except Exception as error:
                told = error
            if isinstance(answer, Exception):
                same = type(told) is type(answer) and str(told) == str(answer)
            else:
                same = not isinstance(told, Exception) and without_absent(told) == without_absent(answer)
            if not same:
                return "%s: %r instead of %r" % (command.__name__, told, answer)
            answered += 1
        return answered

    return play()
