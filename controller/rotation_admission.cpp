#include "controller/rotation_admission.h"

#include "api/codec.h"
#include "api/validate.h"

namespace keyturn {
namespace {

// A coroutine of its own: a lambda's captures would not live as long as the frame.
Task<embedded::AdmissionVerdict> review_rotation(Store* store, Context context, embedded::AdmissionReview review) {
  embedded::AdmissionVerdict verdict;
  const bool rotation = review.resource.plural == api::SecretRotation::plural && review.resource.group == api::group;
  if (!rotation) co_return verdict;
  auto decoded = api::decode_secret_rotation(review.object);
  if (!decoded) {
    verdict.violations.push_back({"FieldValueInvalid", "spec", decoded.error().message});
    co_return verdict;
  }
  const Resource environments{std::string(api::group), std::string(api::RotationEnvironment::plural)};
  auto stored = co_await store->get(context, environments, ObjectKey{{}, decoded->spec.environment});
  if (!stored && stored.error().code == Errc::NotFound) {
    verdict.warnings.push_back("spec.environmentRef.name: no RotationEnvironment of this name exists yet; nothing happens until it does");
    co_return verdict;
  }
  if (!stored) co_return stored.error();
  auto environment = api::decode_rotation_environment((*stored)->body);
  if (!environment) co_return environment.error();
  verdict.violations = api::validate_against(environment->spec, decoded->meta.ns, decoded->spec);
  co_return verdict;
}

}  // namespace

embedded::Admission rotation_admission(Store& store) {
  return [store = &store](Context context, embedded::AdmissionReview review) {
    return review_rotation(store, std::move(context), std::move(review));
  };
}

}  // namespace keyturn
