#include "reconcilers/postgresql/scram.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "tests/support/seeded_random.h"

namespace keyturn::postgresql {
namespace {

// The example of RFC 7677 section 3 names its user in the first message; PostgreSQL leaves that empty, so the proof was computed anew
// for the same nonce, salt and password, with Python's hashlib and hmac.
constexpr std::string_view client_nonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

TEST(ScramClient, ProvesAPasswordAndChecksTheServer) {
  ScramClient client{std::string(client_nonce)};
  EXPECT_EQ(client.first(), "n,,n=,r=rOprNGfwEbeRWgbNEkqO");
  const auto final = client.final(challenge, Secret::copy_of("pencil"));
  ASSERT_TRUE(final);
  EXPECT_EQ(*final, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=qvT2SWdEH5Q06albL+hjSYuUhCG7VndFyzIb7CK4n9k=");
  EXPECT_TRUE(client.verify("v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg="));
  EXPECT_FALSE(client.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
  EXPECT_FALSE(client.verify("e=invalid-proof"));
  EXPECT_FALSE(client.verify(""));
}

TEST(ScramClient, RefusesAChallengeThatIsNotForIt) {
  const Secret password = Secret::copy_of("pencil");
  for (const std::string_view bad :
       {"", "r=", "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=!!,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=0",
        "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4000000000", "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=200001",
        "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4096,m=x", "m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4096", "s=W22Z,r=rOprNGfwEbeRWgbNEkqOx,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=12x"}) {
    ScramClient client{std::string(client_nonce)};
    EXPECT_FALSE(client.final(bad, password)) << bad;
    EXPECT_FALSE(client.verify("v="));
  }
}

TEST(ScramClient, DrawsAnotherNonceEveryTime) {
  SeededRandom random(1);
  EXPECT_NE(ScramClient(random).first(), ScramClient(random).first());
}

TEST(ScramVerifier, IsWhatPostgreSqlStores) {
  const auto salt = from_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
  ASSERT_TRUE(salt);
  const auto verifier = scram_verifier(Secret::copy_of("pencil"), *salt);
  ASSERT_TRUE(verifier);
  EXPECT_EQ(*verifier,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

TEST(ScramVerifier, RefusesPasswordsThatSaslPrepWouldChange) {
  for (const std::string_view password : {"", "p\xC3\xA4ss", "tab\t", "line\n", "\x7F"}) {
    EXPECT_FALSE(check_password(Secret::copy_of(password)));
    EXPECT_FALSE(scram_verifier(Secret::copy_of(password), "salt"));
  }
  EXPECT_TRUE(check_password(Secret::copy_of("with blank ~!")));
}

}  // namespace
}  // namespace keyturn::postgresql
