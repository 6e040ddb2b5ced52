import type { Sample } from "../../crds/sample/types.ts";
import { SPEC_CHANGED } from "../../kube/webhook/webhook_configuration.ts";
import type { KindHandler } from "../registry.ts";
import { admitSample } from "./admit.ts";
import { DEPLOYMENT, OWNED_SELECTOR, ownerNameOf } from "./deployment.ts";
import { SAMPLE_RESOURCE } from "./objects.ts";
import { reconcileSample, type SampleContext } from "./reconcile.ts";

/** Sample: a Deployment, judged at admission and made by the loop. The guide `docs/add_a_kind.md` walks through it. */
export function sampleHandler(context: SampleContext): KindHandler {
  return {
    resource: SAMPLE_RESOURCE,
    admission: {
      // No condition holds: there is nothing to fill in, so nobody calls.
      mutateConditions: [{ name: "never", expression: "false" }],
      validateConditions: [{ name: "spec-changed", expression: SPEC_CHANGED }],
      judgesDelete: false,
    },
    withDefaults: (object) => object,
    validate: (request, signal) => admitSample(request, context.objects, signal),
    controller: {
      reconcile: (object, signal) => reconcileSample(object as Sample, context, signal),
      forget: () => {},
      owns: [{
        resource: DEPLOYMENT,
        labelSelector: OWNED_SELECTOR,
        ownerKey: (object) => {
          const owner = ownerNameOf(object);
          return owner === undefined ? undefined : `${object.metadata.namespace}/${owner}`;
        },
      }],
    },
  };
}
