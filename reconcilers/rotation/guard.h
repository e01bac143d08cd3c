// The safety guards of the protocol, by name. In the product a guard is just its condition; in the build for the model check and the
// simulation one guard at a time can be taken out, to see that its absence is noticed (protocol.md 16).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace keyturn {

enum class Guard : std::uint8_t {
  None,
  PinTheChoice,             // A6, A7: what is installed and published is the one staged version that the journal names
  QuietBeforePin,           // A11, B7, B11: nothing of an earlier run can still land when the next one pins
  QuietBeforeReversing,     // A20: nothing of the forward direction can still land when a single credential is set back
  QuietBeforeWithdrawing,   // B13: nor when the pending one is removed in a rollback
  QuietBeforeRetiring,      // B7, together with QuietBeforePin
  VerifyBeforePublish,      // I5: a value is published only after a fresh login with it
  RetiringIsJournalled,     // B5, B12: the point of no return is recorded before the old credential is touched
  ConsumersBeforeRetiring,  // B6, I6: every consumer is proven on the pending one first
  AcceptedBeforeRestart,    // I8: no consumer is restarted onto a value that is not accepted
  FinishWhenDeleted,        // A15: a deleted object's run is completed first
  NewerGenerationBlocks,    // A21, I9: a journal behind the store repairs nothing
  IdleLoginUnused,          // alternating logins: the idle one is in nobody's hands when it is set
  EvictedUnused,            // C7: what the provider will drop for the new value is in nobody's hands
  QuietAfterMint,           // C6: no second request to make a value can still land when the made one is chosen
  OneMintInTheAir,          // C8, C9: where a new value drops the oldest, none is asked for while another request may land
  EveryServiceAccepts,      // D6: a shared key's next document goes out only when every service has the one before
  EveryVaultPublished,      // E2: consumers move only when all vaults return the new value
  ForeignPublishBlocks,     // A17: somebody else's value is not overwritten unless asked
  ForeignOwnerBlocks,       // a second installation with the same configuration keeps its hands off
  LostValueBlocks,          // a pinned value that cannot be read any more is never replaced by another one
  ParkOnlySafely,           // a single credential is not left half changed because somebody suspends the rotation
  OldRefusedBeforeSuccess,  // I14: the end of a run is written when the old credential is seen refused
  AllTrueBeforeSuccess,     // I14: and everything else is seen true once more
  OldSurvivesTheAddition,   // where two values live, the old one is still accepted when the new one is published
  UnknownIsNoAnswer,        // protocol.md 8: a probe that could not tell changes nothing
  SessionsBeforeRetiring,   // whoever still uses the old credential is waited for
  BaselineFirst,            // a run that starts from a broken state touches nothing
  Authority,                // I12: the binding is checked again before every effect
  NoReturnWhenCompromised,  // I13
  // In the reconciler:
  IntentBeforeEffect,   // the journal's compare-and-swap comes before every effect; who loses it does nothing
  SendDeadline,         // an effect that does not leave soon after it was recorded does not leave (F5)
  TakeoverIsNoted,      // what a former owner sent may still land, so that the quarantine begins anew
  OneRunPerIdentity,    // I10
  JournalBehindBlocks,  // F13: no run begins behind what the vault has seen
};

#ifdef KEYTURN_MUTANTS
// Takes these guards out for the whole process, and puts all others back; for the model check and the simulation only.
void remove_guards(std::initializer_list<Guard> guards);
bool enforced(Guard guard) noexcept;
#else
constexpr bool enforced(Guard) noexcept { return true; }
#endif

std::string_view name_of(Guard guard) noexcept;

}  // namespace keyturn
