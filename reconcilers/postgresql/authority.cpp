#include "reconcilers/postgresql/authority.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

namespace keyturn::postgresql {
namespace {

// One row per fact about role $1: its kind, and a text that is the same for the same fact about another role. pg_shdepend lists, for all
// databases, what depends on a role: 'a' an access right, 'o' ownership.
constexpr std::string_view facts_sql = R"sql(
WITH me AS (SELECT * FROM pg_roles WHERE rolname = $1)
SELECT 'attributes', concat_ws(',', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolconnlimit) FROM me
UNION ALL
SELECT 'memberships', concat_ws(',', m.roleid, m.admin_option) FROM pg_auth_members m JOIN me ON m.member = me.oid
UNION ALL
SELECT 'settings', concat_ws(',', s.setdatabase, line) FROM pg_db_role_setting s JOIN me ON s.setrole = me.oid,
       LATERAL unnest(s.setconfig) AS line
UNION ALL
SELECT CASE deptype WHEN 'o' THEN 'ownership' ELSE 'grants' END, concat_ws(',', d.dbid, d.classid, d.objid, d.objsubid)
  FROM pg_shdepend d JOIN me ON d.refobjid = me.oid
 WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype IN ('a', 'o')
UNION ALL
SELECT 'grants', concat_ws(',', held.kind, held.object, granted.privilege_type, granted.is_grantable)
  FROM (SELECT 'database' AS kind, oid AS object, datacl AS acl FROM pg_database
        UNION ALL SELECT 'schema', oid, nspacl FROM pg_namespace
        UNION ALL SELECT 'relation', oid, relacl FROM pg_class
        UNION ALL SELECT 'function', oid, proacl FROM pg_proc) AS held,
       LATERAL aclexplode(held.acl) AS granted
  JOIN me ON granted.grantee = me.oid
)sql";

using Facts = std::map<std::string, std::set<std::string>>;

Result<Facts> facts_of(AdminSession& session, const std::string& principal) {
  auto rows = session.query(std::string(facts_sql), {principal});
  if (!rows) return rows.error();
  Facts facts;
  for (const Row& row : *rows) facts[row[0].value_or("")].insert(row[1].value_or(""));
  if (facts.empty()) return Error{Errc::Invalid, "the principal does not exist"};
  return facts;
}

}  // namespace

Result<AuthorityComparison> compare_authority(AdminSession& session, const std::string& principal_a, const std::string& principal_b) {
  auto a = facts_of(session, principal_a);
  if (!a) return a.error();
  auto b = facts_of(session, principal_b);
  if (!b) return b.error();
  AuthorityComparison comparison;
  for (const std::string kind : {"attributes", "memberships", "settings", "grants", "ownership"})
    if ((*a)[kind] != (*b)[kind]) comparison.differences.push_back(kind);
  return comparison;
}

}  // namespace keyturn::postgresql
