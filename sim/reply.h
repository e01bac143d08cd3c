// How replies of the simulated services are written.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "base/net/http_message.h"
#include "base/secret.h"
#include "sim/refusal.h"

namespace keyturn::sim {

net::HttpReply json_reply(int status, const boost::json::value& body);
// A reply whose body holds secret values: it is written from the arena.
net::HttpReply secret_reply(int status, Secret body);

// `{"error":{"code","message","innererror":{"code"}}}`: innererror is an object at Key Vault.
net::HttpReply vault_refusal(const Refusal& refusal);
// `{"error":{"code","message"}}`: innererror, where there is one, is a string at Microsoft.App.
net::HttpReply arm_refusal(const Refusal& refusal);

}  // namespace keyturn::sim
