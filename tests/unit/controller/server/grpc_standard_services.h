// Clients of gRPC's two standard services, by their published wire format (health/v1/health.proto and reflection/v1alpha/reflection.proto
// of the grpc project): Debian does not ship those files, and one field of each message is all that is needed.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

namespace keyturn {

// One message each way; nothing when the call ends without a reply.
inline std::string exchange_bytes(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context, const std::string& method,
                                  const std::string& request) {
  grpc::CompletionQueue queue;
  const auto wait = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  grpc::GenericStub stub(channel);
  const std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  wait();
  const grpc::Slice slice(request);
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  wait();
  call->WritesDone(nullptr);
  wait();
  grpc::ByteBuffer reply;
  call->Read(&reply, nullptr);
  const bool replied = wait();
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (replied && reply.Dump(&slices).ok())
    for (const grpc::Slice& part : slices) bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  return bytes;
}

// A string field of a message, shorter than 128 bytes.
inline std::string string_field(int number, const std::string& value) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(value.size())} + value;
}

// HealthCheckRequest.service = 1; HealthCheckResponse.status = 1, where 1 is SERVING and 2 NOT_SERVING.
inline int health_of(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context, const std::string& service) {
  const std::string reply = exchange_bytes(channel, context, "/grpc.health.v1.Health/Check", string_field(1, service));
  return reply.size() == 2 && reply[0] == 8 ? reply[1] : -1;
}

// ServerReflectionRequest.list_services = 7 and .file_containing_symbol = 4; the raw reply, which holds the names as they are.
inline std::string reflected(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context, int field,
                             const std::string& value) {
  return exchange_bytes(channel, context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", string_field(field, value));
}

}  // namespace keyturn
