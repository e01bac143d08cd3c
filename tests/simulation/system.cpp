#include "tests/simulation/system.h"

#include <algorithm>

namespace keyturn::simulation {

System::System(api::Protocol protocol, const Login& login, const std::string& other) : protocol_(protocol), principal_(login.principal) {
  accepted_[login.principal].insert(login.password);
  if (protocol == api::Protocol::Slots) hold({login.password, other});
  if (protocol == api::Protocol::Shift) hold({login.password});
}

void System::hold(std::vector<std::string> values) {
  held_ = std::move(values);
  accepted_[principal_] = {held_.begin(), held_.end()};
}

bool System::accepts(const Login& login) const {
  const auto found = accepted_.find(login.principal);
  return found != accepted_.end() && found->second.contains(login.password);
}

std::vector<Login> System::accepted() const {
  std::vector<Login> all;
  for (const auto& [principal, passwords] : accepted_) {
    for (const std::string& password : passwords) all.push_back({principal, password});
  }
  return all;
}

void System::install(const Login& login) {
  std::set<std::string>& passwords = accepted_[login.principal];
  if (protocol_ != api::Protocol::Dual) passwords.clear();
  passwords.insert(login.password);
}

void System::set_alone(const Login& login) { accepted_[login.principal] = {login.password}; }

std::vector<Login> System::withdraw(const Login& login, const std::string& fresh) {
  if (is_minted(protocol_)) {
    const auto place = std::find(held_.begin(), held_.end(), login.password);
    if (place == held_.end()) return {};
    if (protocol_ == api::Protocol::Slots) return mint(static_cast<std::size_t>(place - held_.begin()), fresh);
    if (place == held_.begin()) return {};  // the current value of a shift register goes by a new one alone
    hold({held_.front()});
    return {login};
  }
  std::set<std::string>& passwords = accepted_[login.principal];
  std::vector<Login> gone;
  for (const std::string& password : passwords) {
    if (protocol_ != api::Protocol::Dual || password == login.password) gone.push_back({login.principal, password});
  }
  for (const Login& one : gone) passwords.erase(one.password);
  return gone;
}

std::vector<Login> System::mint(std::size_t slot, const std::string& fresh) {
  std::vector<Login> dropped;
  std::vector<std::string> values = held_;
  if (protocol_ == api::Protocol::Shift) {
    if (values.size() > 1) dropped.push_back({principal_, values[1]});
    hold({fresh, values.front()});
  } else if (slot < values.size()) {
    dropped.push_back({principal_, values[slot]});
    values[slot] = fresh;
    hold(std::move(values));
  }
  return dropped;
}

}  // namespace keyturn::simulation
