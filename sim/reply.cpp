#include "sim/reply.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace keyturn::sim {

namespace json = boost::json;

net::HttpReply json_reply(int status, const json::value& body) {
  net::HttpReply reply;
  reply.status = status;
  reply.headers.add("Content-Type", "application/json; charset=utf-8");
  reply.body = json::serialize(body);
  return reply;
}

net::HttpReply secret_reply(int status, Secret body) {
  net::HttpReply reply;
  reply.status = status;
  reply.headers.add("Content-Type", "application/json; charset=utf-8");
  reply.secret_body = std::move(body);
  return reply;
}

net::HttpReply vault_refusal(const Refusal& refusal) {
  json::object error{{"code", refusal.code}, {"message", refusal.message}};
  if (!refusal.inner_code.empty()) error["innererror"] = json::object{{"code", refusal.inner_code}};
  return json_reply(refusal.status, json::object{{"error", std::move(error)}});
}

net::HttpReply arm_refusal(const Refusal& refusal) {
  json::object error{{"code", refusal.code}, {"message", refusal.message}};
  if (!refusal.inner_code.empty()) error["innererror"] = refusal.inner_code;
  return json_reply(refusal.status, json::object{{"error", std::move(error)}});
}

}  // namespace keyturn::sim
