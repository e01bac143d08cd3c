#include "reconcilers/rotation/guard.h"

namespace keyturn {

#ifdef KEYTURN_MUTANTS
namespace {
std::uint64_t removed = 0;  // a bit per guard
constexpr std::uint64_t bit(Guard guard) { return std::uint64_t{1} << static_cast<unsigned>(guard); }
}  // namespace

void remove_guards(std::initializer_list<Guard> guards) {
  removed = 0;
  for (const Guard guard : guards) removed |= bit(guard);
}
bool enforced(Guard guard) noexcept { return (removed & bit(guard)) == 0; }
#endif

std::string_view name_of(Guard guard) noexcept {
  switch (guard) {
    case Guard::None:
      return "None";
    case Guard::PinTheChoice:
      return "PinTheChoice";
    case Guard::QuietBeforePin:
      return "QuietBeforePin";
    case Guard::QuietBeforeReversing:
      return "QuietBeforeReversing";
    case Guard::QuietBeforeWithdrawing:
      return "QuietBeforeWithdrawing";
    case Guard::QuietBeforeRetiring:
      return "QuietBeforeRetiring";
    case Guard::VerifyBeforePublish:
      return "VerifyBeforePublish";
    case Guard::RetiringIsJournalled:
      return "RetiringIsJournalled";
    case Guard::ConsumersBeforeRetiring:
      return "ConsumersBeforeRetiring";
    case Guard::AcceptedBeforeRestart:
      return "AcceptedBeforeRestart";
    case Guard::FinishWhenDeleted:
      return "FinishWhenDeleted";
    case Guard::NewerGenerationBlocks:
      return "NewerGenerationBlocks";
    case Guard::IdleLoginUnused:
      return "IdleLoginUnused";
    case Guard::ForeignPublishBlocks:
      return "ForeignPublishBlocks";
    case Guard::EvictedUnused:
      return "EvictedUnused";
    case Guard::QuietAfterMint:
      return "QuietAfterMint";
    case Guard::OneMintInTheAir:
      return "OneMintInTheAir";
    case Guard::EveryServiceAccepts:
      return "EveryServiceAccepts";
    case Guard::EveryVaultPublished:
      return "EveryVaultPublished";
    case Guard::ForeignOwnerBlocks:
      return "ForeignOwnerBlocks";
    case Guard::LostValueBlocks:
      return "LostValueBlocks";
    case Guard::ParkOnlySafely:
      return "ParkOnlySafely";
    case Guard::OldRefusedBeforeSuccess:
      return "OldRefusedBeforeSuccess";
    case Guard::AllTrueBeforeSuccess:
      return "AllTrueBeforeSuccess";
    case Guard::OldSurvivesTheAddition:
      return "OldSurvivesTheAddition";
    case Guard::UnknownIsNoAnswer:
      return "UnknownIsNoAnswer";
    case Guard::SessionsBeforeRetiring:
      return "SessionsBeforeRetiring";
    case Guard::BaselineFirst:
      return "BaselineFirst";
    case Guard::IntentBeforeEffect:
      return "IntentBeforeEffect";
    case Guard::SendDeadline:
      return "SendDeadline";
    case Guard::TakeoverIsNoted:
      return "TakeoverIsNoted";
    case Guard::OneRunPerIdentity:
      return "OneRunPerIdentity";
    case Guard::JournalBehindBlocks:
      return "JournalBehindBlocks";
    case Guard::Authority:
      return "Authority";
    case Guard::NoReturnWhenCompromised:
      return "NoReturnWhenCompromised";
  }
  return "None";
}

}  // namespace keyturn
