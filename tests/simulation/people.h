// What people do in a world, at times drawn from the seed: want new revisions and earlier ones, raise the floor, pin, suspend, delete,
// edit, take a binding away, and change things by hand that they should have left alone.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "tests/simulation/world.h"

namespace keyturn::simulation {

class People {
 public:
  // The world outlives it.
  People(World& world, Draw& draw) : world_(world), draw_(draw) {}

  // Every rotation of the world, as it is first declared.
  void declare_all();
  // Plans what happens within the next `span`. People in a hurry want one revision after the other, new and earlier ones, and do nothing
  // else: what an earlier run sent may then land in a later one.
  void plan(Duration span, int acts, bool by_hand);
  void hurry(Duration span, int acts);
  // Whenever a run enters `phase`, somebody now and then does a moment later what this world's people do then: want the revision before
  // again, suspend the rotation, declare a second one for the same login, or change things by hand.
  void waver_in(api::Phase phase, bool by_hand);
  // Changes things by hand once, whatever is under way then.
  void meddle(Duration span);
  // Leaves a consumer out of each rotation of a provider's values for a while.
  void forget_somebody(Duration span);
  // Takes back what would keep a run from its end, except for suspensions; `resume` does that.
  void heal();
  void resume();
  bool suspends(std::size_t subject) const { return wanted_.at(subject).suspend; }

  // Wants this from now on.
  void want(std::size_t subject, const api::SecretRotationSpec& spec);
  void want(std::size_t subject, const std::string& revision);
  // The spec that is wanted now.
  const api::SecretRotationSpec& wanted(std::size_t subject) const { return wanted_.at(subject); }
  // Whether a rotation may rest with this reason, given all that was done to it.
  bool explains(std::size_t subject, std::string_view reason) const;

  // A random valid change of the spec; says what it was. For transitions, too.
  std::string change(api::SecretRotationSpec& spec, std::size_t subject);

 private:
  enum class Did : std::uint8_t { RaisedFloor, Pinned, Held, Deleted };
  enum class Wavering : std::uint8_t { WantBack, Suspend, Copy, ByHand };
  void act(bool by_hand);
  void raise_the_floor(api::SecretRotationSpec& spec, std::size_t subject);
  std::string want_another_revision(api::SecretRotationSpec& spec);
  void edit(std::size_t subject);
  void delete_and_declare(std::size_t subject);
  void declare_again(std::size_t subject);
  void by_hand(std::size_t subject);
  void close_for_maintenance(std::size_t subject);
  void waver(std::size_t subject, Wavering how, const std::string& before);
  void unbind();
  void copy(std::size_t subject);
  void remove_copy(std::size_t subject);
  void forget(std::size_t subject, const std::string& consumer);
  void remember(std::size_t subject, const std::string& consumer);
  void answer_again_for(std::size_t subject, const std::string& consumer);
  void restart_who_was_left_behind(std::size_t subject, const std::string& consumer);

  World& world_;
  Draw& draw_;
  std::map<std::size_t, api::SecretRotationSpec> wanted_;
  std::set<std::pair<std::size_t, Did>> did_;
  std::map<std::size_t, ObjectKey> copies_;
  int revisions_ = 0;
  bool healed_ = false;
};

}  // namespace keyturn::simulation
