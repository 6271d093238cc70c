

class _Json(amp.Argument):
    """What `json` reads and writes, as its text."""

    def __init__(self, ensure_ascii=False, optional=False):
        super().__init__(optional)
        self.ensure_ascii = ensure_ascii

    def toString(self, inObject):
        text = json.dumps(inObject, ensure_ascii=self.ensure_ascii, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8")

    def fromString(self, inString):
        return json.loads(inString.decode("utf-8"), parse_constant=self._refuse)

    @staticmethod
    def _refuse(constant):
        """Python reads `NaN` and infinities, which nobody else does."""
        raise ValueError("%s is no JSON" % constant)
