import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { untilAborted } from "../../kube/timing.ts";

/** One question to the API server, which many objects may share. */
interface Question {
  readonly number: number;
  readonly answer: Promise<boolean>;
}

/** What an object was when it was first seen to be going. */
interface Sighting {
  readonly uid: string;
  /** How many questions had been asked by then. */
  readonly asked: number;
}

/** A question is nobody's alone, so no single reconcile may end it. */
const TIMEOUT_MS = 30_000;

/**
 * Tells whether objects are going because their kind goes: then nobody meant their tables.
 *
 * The API server marks the definition before it marks the first object. So an answer "it stays" holds for every object that was seen to be
 * going before the question was asked, however late it is decided about: of a thousand objects that were deleted at once, most share one
 * question. An object that nobody has seen going before gets a question of its own.
 */
export class KindEnd {
  readonly #ask: (signal: AbortSignal) => Promise<boolean>;
  /** By `namespace/name`. */
  readonly #sightings = new Map<string, Sighting>();
  #asked = 0;
  /** Absent if it failed. */
  #last: Question | undefined;

  /** @param ask Whether the kind is being deleted, or gone. */
  constructor(ask: (signal: AbortSignal) => Promise<boolean>) {
    this.#ask = ask;
  }

  /** To be told of every version of an object before it is reconciled. */
  see({ metadata: { namespace, name, uid, deletionTimestamp } }: DatabaseTable): void {
    if (deletionTimestamp === undefined) return;
    const key = `${namespace}/${name}`;
    if (this.#sightings.get(key)?.uid !== uid) this.#sightings.set(key, { uid, asked: this.#asked });
  }

  /** The object of that key is gone. */
  forget(key: string): void {
    this.#sightings.delete(key);
  }

  /**
   * Whether the kind was being deleted when this object was, or is since.
   *
   * @throws {KubeError} if the API server cannot be asked; the next call asks again.
   */
  async isBehind({ metadata: { namespace, name, uid } }: DatabaseTable, signal: AbortSignal): Promise<boolean> {
    const sighting = this.#sightings.get(`${namespace}/${name}`);
    const asked = sighting?.uid === uid ? sighting.asked : this.#asked;
    const question = this.#last !== undefined && this.#last.number > asked ? this.#last : this.#askNow();
    return await untilAborted(question.answer, signal);
  }

  #askNow(): Question {
    const question = { number: ++this.#asked, answer: this.#ask(AbortSignal.timeout(TIMEOUT_MS)) };
    this.#last = question;
    question.answer.catch(() => {
      if (this.#last === question) this.#last = undefined;
    });
    return question;
  }
}
