

class _Zlib(amp.Argument):
    """Another argument, compressed. It has at most so many bytes before."""

    def __init__(self, argument, most, optional=False):
        super().__init__(optional)
        self.argument = argument
        self.most = most

    def toStringProto(self, inObject, proto):
        plain = self.argument.toStringProto(inObject, proto)
        if len(plain) > self.most:
            raise ConstraintError("", "more than %d bytes to compress" % self.most)
        return zlib.compress(plain)

    def fromStringProto(self, inString, proto):
        stream = zlib.decompressobj()
        plain = stream.decompress(inString, self.most + 1)
        if len(plain) > self.most:
            raise ConstraintError("", "decompresses to more than %d bytes" % self.most)
        if not stream.eof or stream.unused_data:
            raise ValueError("not one zlib stream")
        return self.argument.fromStringProto(plain, proto)

    # In a `ListOf` there is no protocol.
    def toString(self, inObject):
        return self.toStringProto(inObject, None)

    def fromString(self, inString):
        return self.fromStringProto(inString, None)
