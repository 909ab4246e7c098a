import assert from "node:assert/strict";
import { test } from "node:test";
import { isMuted, muteChoices, mutedWords } from "chat/mute";
import { finder, initialsOf } from "chat/names";
import { useZone } from "samia/dates";
import { speak } from "samia/text";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const session = (until) => ({ mine: { muted_until: until } });

test("a session is muted until its time, and who is not in it mutes nothing", () => {
  assert.equal(isMuted(session("2026-11-21T12:00:01Z"), NOW), true);
  assert.equal(isMuted(session("2026-11-21T12:00:00Z"), NOW), false);
  assert.equal(isMuted(session(null), NOW), false);
  assert.equal(isMuted({ mine: null }, NOW), false);
});

test("what may be chosen is what is then said", () => {
  speak({ language: "en", texts: {}, plurals: {} });
  useZone("Asia/Beirut");
  const said = muteChoices(NOW).map(({ until }) => mutedWords(session(until), NOW));
  assert.deepEqual(said, ["Muted until 15:00", "Muted until 22:00", "Muted"]);
  assert.equal(mutedWords(session("2026-11-22T20:00:00Z"), NOW), "Muted until 22 November 22:00");
});

test("names are found without regard to case, accents, and the ways to write Arabic", () => {
  const cases = [
    ["renee", ["Renée Haddad"], true],
    ["HAD ren", ["Renée Haddad"], true],
    ["امل", ["أَمَل كرم"], true],
    ["ليلي", ["ليلى"], true],
    ["جلسه", ["جلسة دعم"], true],
    ["", ["anybody"], true],
    ["x", ["Renée"], false],
  ];
  for (const [query, texts, isFound] of cases) assert.equal(finder(query)(texts), isFound, query);
});

test("the point between names is no initial", () => {
  assert.equal(initialsOf("Client · Reader"), "CR");
  assert.equal(initialsOf("عمر · ليلى"), "ع");
});
