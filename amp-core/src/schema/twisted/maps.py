

class _Map(_AmpList):
    """A dict, as boxes with the keys `key` and `value`."""

    def toStringProto(self, inObject, proto):
        key_type = self.fields[0][1].argument
        keys = sorted(inObject, key=lambda key: key_type.toStringProto(key, proto))
        return super().toStringProto([{"key": key, "value": inObject[key]} for key in keys], proto)

    def fromStringProto(self, inString, proto):
        items = {}
        for index, item in enumerate(super().fromStringProto(inString, proto)):
            if item["key"] in items:
                raise ConstraintError("[%d].key" % index, "a key that came before")
            items[item["key"]] = item["value"]
        return items
