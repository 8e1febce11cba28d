/** Lists whose length is known to the type checker. */

/** A list of `Count` things; of any number, if `Count` is not known or above 16. */
export type Repeated<Thing, Count extends number> = number extends Count ? Thing[] : RepeatedFrom<Thing, Count, []>;

type RepeatedFrom<Thing, Count extends number, Known extends readonly Thing[]> = Known["length"] extends Count
  ? [...Known]
  : Known["length"] extends 16
    ? Thing[]
    : RepeatedFrom<Thing, Count, [...Known, Thing]>;
