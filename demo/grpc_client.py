"""A gRPC client that knows nothing beforehand: it asks the server for the service's description and calls it by that."""
import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """The length-delimited fields of a message: (number, bytes)."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            _, at = varint(data, at)
            continue
        size, at = varint(data, at)
        yield key >> 3, data[at : at + size]
        at += size


def ask(channel, field, text):
    """One question to the reflection service; its answer's file descriptors."""
    encoded = text.encode()
    request = bytes([field << 3 | 2, len(encoded)]) + encoded
    call = channel.stream_stream(REFLECTION, request_serializer=lambda raw: raw, response_deserializer=lambda raw: raw)
    reply = next(iter(call(iter([request]), timeout=10)))
    for number, content in fields(reply):
        if number == 4:  # file_descriptor_response
            return [raw for inner, raw in fields(content) if inner == 1]
    raise RuntimeError("the server described nothing")


def list_rotations(address, ca_file, token):
    """All rotations, as the server's own description of itself says to ask for them."""
    with open(ca_file, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    with grpc.secure_channel(address, credentials) as channel:
        pool = descriptor_pool.DescriptorPool()
        files, added = [("google/protobuf/timestamp.proto", 3), ("google/protobuf/duration.proto", 3), ("keyturn.v1alpha1.RotationService", 4)], set()
        for name, field in files:  # by file name, then by symbol
            for raw in ask(channel, field, name):
                described = descriptor_pb2.FileDescriptorProto.FromString(raw)
                if described.name not in added:
                    pool.Add(described)
                    added.add(described.name)
        factory = message_factory.MessageFactory(pool)
        service = pool.FindServiceByName("keyturn.v1alpha1.RotationService")
        method = service.methods_by_name["ListRotations"]
        request, reply = (factory.GetPrototype(kind) for kind in (method.input_type, method.output_type))
        call = channel.unary_unary(f"/{service.full_name}/{method.name}", request_serializer=lambda m: m.SerializeToString(), response_deserializer=reply.FromString)
        return call(request(), timeout=10, metadata=(("authorization", f"Bearer {token}"),)).rotations
