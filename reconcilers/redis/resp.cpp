#include "reconcilers/redis/resp.h"

#include <charconv>
#include <utility>

namespace keyturn::redis {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t line_bytes_max = 64 * 1024;  // a simple string, an error or a number

// Walks over the input; running out of it is a state of its own, not an error.
class Parser {
 public:
  Parser(std::string_view input, const ReplyLimits& limits) : input_(input), limits_(limits) {}

  // False = ended early: see `failed` and `needed`.
  bool parse(Reply& out, int depth) {
    std::string_view line;
    if (!read_line(line)) return false;
    if (line.empty()) return fail();
    const char kind = line.front();
    line.remove_prefix(1);
    switch (kind) {
      case '+':
        out.type = Reply::Type::Simple;
        out.text = line;
        return true;
      case '-':
        out.type = Reply::Type::Error;
        out.text = line;
        return true;
      case ':':
        out.type = Reply::Type::Integer;
        return to_number(line, out.integer);
      case '$':
        return parse_bulk(line, out);
      case '*':
        return parse_array(line, out, depth);
      default:
        return fail();
    }
  }

  bool failed() const { return failed_; }
  std::size_t needed() const { return needed_; }
  std::size_t position() const { return position_; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }

  // Not there yet: bytes up to `end` at least.
  bool need(std::size_t end) {
    if (end > limits_.bytes_max) return fail();
    needed_ = end;
    return false;
  }

  bool read_line(std::string_view& line) {
    const std::size_t end = input_.find(line_end, position_);
    if (end == std::string_view::npos) {
      if (input_.size() - position_ > line_bytes_max) return fail();
      return need(input_.size() + 1);
    }
    if (end - position_ > line_bytes_max || end + line_end.size() > limits_.bytes_max) return fail();
    line = input_.substr(position_, end - position_);
    position_ = end + line_end.size();
    return true;
  }

  bool to_number(std::string_view text, std::int64_t& out) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return (ec == std::errc() && end == text.data() + text.size() && !text.empty()) || fail();
  }

  bool parse_bulk(std::string_view length_text, Reply& out) {
    std::int64_t length = 0;
    if (!to_number(length_text, length)) return false;
    if (length == -1) return true;  // null
    if (length < 0 || static_cast<std::uint64_t>(length) > limits_.bytes_max) return fail();
    const std::size_t end = position_ + static_cast<std::size_t>(length);
    if (input_.size() < end + line_end.size()) return need(end + line_end.size());
    if (end + line_end.size() > limits_.bytes_max || input_.substr(end, line_end.size()) != line_end) return fail();
    out.type = Reply::Type::Bulk;
    out.text = input_.substr(position_, static_cast<std::size_t>(length));
    position_ = end + line_end.size();
    return true;
  }

  bool parse_array(std::string_view length_text, Reply& out, int depth) {
    std::int64_t length = 0;
    if (!to_number(length_text, length)) return false;
    if (length == -1) return true;  // null
    if (length < 0 || depth >= limits_.depth_max || static_cast<std::uint64_t>(length) > limits_.items_max - items_) return fail();
    items_ += static_cast<std::size_t>(length);
    out.type = Reply::Type::Array;
    for (std::int64_t i = 0; i < length; ++i) {
      Reply item;
      if (!parse(item, depth + 1)) return false;
      out.items.push_back(std::move(item));
    }
    return true;
  }

  std::string_view input_;
  const ReplyLimits& limits_;
  std::size_t position_ = 0;
  std::size_t needed_ = 0;
  std::size_t items_ = 0;
  bool failed_ = false;
};

}  // namespace

Command::Command(std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) add(word);
}

Command& Command::add(std::string_view word) {
  encoded_.append("$").append(std::to_string(word.size())).append(line_end).append(word).append(line_end);
  ++words_;
  return *this;
}

Command& Command::add(const Secret& word) {
  word.expose([this](std::string_view bytes) { add(bytes); });
  return *this;
}

Secret Command::encode() && {
  SecretBuffer whole(encoded_.size() + 16);
  whole.append("*").append(std::to_string(words_)).append(line_end);
  whole.append(std::move(encoded_).finish());
  return std::move(whole).finish();
}

bool Reply::is_error(std::string_view word) const {
  return type == Type::Error && text.starts_with(word) && (text.size() == word.size() || text[word.size()] == ' ');
}

Result<ParsedReply> parse_reply(std::string_view input, const ReplyLimits& limits) {
  Parser parser(input, limits);
  Reply reply;
  if (parser.parse(reply, 0)) return ParsedReply{std::move(reply), parser.position()};
  if (parser.failed()) return Error{Errc::Invalid, "the reply is malformed or too large"};
  return ParsedReply{std::nullopt, parser.needed()};
}

}  // namespace keyturn::redis
