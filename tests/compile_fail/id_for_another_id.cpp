// error: no known conversion from 'Id<struct UidTag>' to 'Id<struct VersionIdTag>'
#include "base/id.h"

void g(keyturn::VersionId version);
void f(keyturn::Uid uid) { g(uid); }
