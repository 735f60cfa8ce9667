/** `GET /api/models/:name/classes`: names of the classes by number, where `classes` of the model's section (or of the lab) has them. They change with the configuration alone. */
export interface ModelClasses {
  readonly model: string;
  readonly classNames?: readonly string[] | undefined;
}
