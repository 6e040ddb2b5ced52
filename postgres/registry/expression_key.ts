/** Where expressions stand. */
export const expressionKey = {
  /** Of a column. */
  default: (column: string): string => `default/${column}`,
  /** Of a generated column. */
  generated: (column: string): string => `generated/${column}`,
  check: (name: string): string => `check/${name}`,
  /** @param position Among all keys of the index, from 1. */
  indexKey: (index: string, position: number): string => `index/${index}/${position}`,
  indexWhere: (index: string): string => `index/${index}/where`,
} as const;
