"""Commands of a module that Rust wrote, and responders for them."""

from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace

from twisted.protocols.amp import Command, CommandLocator

from responders import BROKEN, Responders

learned = SimpleNamespace()
noted = []


def respond(self, **arguments):
    """Answers with the arguments, unless they say which rule to break or how to fail."""
    noted.append(arguments)
    if "fail" in arguments:
        raise getattr(learned, arguments["fail"])(arguments["text"])
    rule = arguments.get("rule")
    return {rule: BROKEN[rule]} if rule else arguments


def descendants(kind):
    """A class and all that stand on it: each has a dispatch of its own."""
    return [kind] + [found for child in kind.__subclasses__() for found in descendants(child)]


def learn(path):
    """Imports the module, and has every connection answer its commands: as it says itself, or with their arguments."""
    spec = spec_from_file_location("learned", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    learned.__dict__.update(vars(module))
    responder_for = getattr(module, "responder_for", lambda _: respond)

    class Learned(CommandLocator):
        for it in vars(module).values():
            if isinstance(it, type) and issubclass(it, Command) and it is not module._Command:
                it.responder(responder_for(it))

    for name, found in Learned._commandDispatch.items():
        for known in descendants(Responders):
            known._commandDispatch[name] = found
