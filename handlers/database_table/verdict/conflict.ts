import { TAKE_OVER_ANNOTATION } from "../../../crds/database_table/types.ts";
import { type FieldError, forbidden, invalid } from "../../../crds/field_error.ts";
import type { Conflict } from "../../../postgres/situation/situation.ts";

/** A conflict over a table's name in the words of the spec; the same at admission and in the loop. */
export function conflictError(conflict: Conflict): FieldError {
  const path = "spec.tableName";
  switch (conflict.kind) {
    case "OwnedByOther": {
      const { namespace, name, clusterId } = conflict.owner;
      return conflict.sameCluster
        ? forbidden(path, `table "${conflict.name}" belongs to DatabaseTable ${namespace}/${name}: choose another name`)
        : forbidden(
          path,
          `table "${conflict.name}" belongs to DatabaseTable ${namespace}/${name} of another cluster: choose another name, ` +
            `or set the annotation ${TAKE_OVER_ANNOTATION}: ${clusterId} if that cluster is gone`,
        );
    }
    case "NotOwned":
      return forbidden(
        path,
        `table "${conflict.name}" exists and was not made by this operator: choose another name, ` +
          `or set adoptionPolicy: IfIdentical or IfCompatible to take it over`,
      );
    case "NameTaken":
      return invalid(path, `"${conflict.name}" is the name of a ${conflict.by}: choose another name`);
    case "DatabaseChanged":
      return forbidden(
        path,
        `table "${conflict.name}" was made in another database: connect the operator to it again, or release the object ` +
          `(deletionPolicy: Retain, then delete it) and apply it anew to make an empty table here`,
      );
    case "OtherSchema":
      return forbidden(
        "spec.schema",
        conflict.isIn === conflict.madeIn
          ? `is immutable: the table "${conflict.name}" is in schema "${conflict.madeIn}"`
          : `table "${conflict.name}" was moved by hand from schema "${conflict.madeIn}" to "${conflict.isIn}": move it back`,
      );
    case "NotAdoptable":
      return forbidden(path, `table "${conflict.name}" cannot be taken over: ${conflict.reasons.join(", ")}`);
    case "NotOrdinary":
      return forbidden(path, `table "${conflict.name}" cannot be managed any more: ${conflict.reasons.join(", ")}`);
  }
}
