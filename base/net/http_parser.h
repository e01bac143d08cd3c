// Beast's HTTP/1 parser, collecting the head into our types and handing the body on without a copy.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/net/http_message.h"

namespace keyturn::net {

// Takes a piece of the body; false refuses it and ends the parsing with http::error::body_limit.
using BodySink = std::function<bool(std::string_view)>;

template <bool is_request>
class MessageParser final : public boost::beast::http::basic_parser<is_request> {
 public:
  static constexpr std::uint32_t header_bytes_max = 64 << 10;  // a token or a list of warnings can be long

  explicit MessageParser(BodySink sink) : sink_(std::move(sink)) {
    this->header_limit(header_bytes_max);
    this->body_limit(boost::none);  // the sink's business
    this->eager(true);
  }

  std::string method;
  std::string target;
  int status = 0;
  int version = 11;
  Headers headers;

 private:
  using Code = boost::system::error_code;
  using Text = boost::beast::string_view;
  static std::string_view view(Text text) { return {text.data(), text.size()}; }

  void on_request_impl(boost::beast::http::verb, Text method_text, Text target_text, int http_version, Code&) override {
    method = view(method_text);
    target = view(target_text);
    version = http_version;
  }
  void on_response_impl(int code, Text, int http_version, Code&) override {
    status = code;
    version = http_version;
  }
  void on_field_impl(boost::beast::http::field, Text name, Text value, Code&) override {
    // Fields after a chunked body are not part of the head, and nobody here expects any.
    if (!head_done_) headers.add(std::string(view(name)), std::string(view(value)));
  }
  void on_header_impl(Code&) override { head_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text body, Code& ec) override { return give(body, ec); }
  void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code& ec) override { return give(body, ec); }
  void on_finish_impl(Code&) override {}

  std::size_t give(Text body, Code& ec) {
    if (!body.empty() && !sink_(view(body))) ec = boost::beast::http::error::body_limit;
    return body.size();
  }

  BodySink sink_;
  bool head_done_ = false;
};

using RequestParser = MessageParser<true>;
using ReplyParser = MessageParser<false>;

}  // namespace keyturn::net
