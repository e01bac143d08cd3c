#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/run.h"

int main(int argc, char** argv) {
  // A reader that stops early, as in `keyturn watch | head`, makes writes fail; that ends the program in good order.
  std::signal(SIGPIPE, SIG_IGN);
  int exit_code = 0;
  const auto arguments = keyturn::parse_arguments(argc, argv, std::cout, std::cerr, exit_code);
  if (!arguments) return exit_code;
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  try {
    return keyturn::run(*arguments, environment, std::cout, std::cerr);
  } catch (const std::exception& problem) {
    std::cerr << "error: unexpected: " << problem.what() << '\n';
    return 1;
  }
}
